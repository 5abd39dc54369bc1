from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.report import dataset_leakage as leaking
from aslkit.curate.report import report
from aslkit.curate.report.dataset_leakage import measure_dataset_leakage
from aslkit.curate.report.leakage import audit_dataset
from aslkit.curate.report.report import ReportInput
from aslkit.datasets.split import Split
from aslkit.vision.images import perceptual_hash, to_gray
from aslkit.vision.perceptual_hash import downscale_gray
from tests.curate.read_report import Page, measured, written


def test_leaks_are_those_of_the_audit(curated: Workspace, curation: ReportInput, settings: CurateConfig) -> None:
    found = measured(curation, settings)
    official = audit_dataset(curated.dataset("custom"), distance=settings.group_distance).own
    assert found is not None
    assert official is not None
    assert (found.own.test, found.own.train, found.tested) == (official.test, official.train, official.test)
    for name in ("copies", "hash_copies", "correlation", "remembered", "hash_remembered"):
        assert getattr(found.own, name) == pytest.approx(getattr(official, name), abs=0.002), name
    assert found.random.remembered >= found.own.remembered


def test_of_a_large_test_a_part_is_looked_at(
    curation: ReportInput, settings: CurateConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(leaking, "MOST_TESTED", 7)
    found = measured(curation, settings)
    assert found is not None
    assert (found.own.test, found.own.train, found.tested) == (7, 36, 18)
    assert found == measured(curation, settings)
    text = " ".join(Page(written(replace(curation, leakage=found), tmp_path)).text.split())
    assert "Of 18 test images 7, drawn at random, were looked at." in text


def test_a_planted_copy_is_found() -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (60, 60, 3), np.uint8) for _ in range(9)]
    images.append(images[0])
    smalls = np.stack([downscale_gray(to_gray(image)) for image in images])
    hashes = np.array([perceptual_hash(image) for image in images], np.uint64)
    test = np.arange(10) >= 8
    found = measure_dataset_leakage(smalls, hashes, np.repeat([0, 1], 5), test, distance=4, seed=0)
    assert found is not None
    assert (found.own.copies, found.own.hash_copies) == (0.5, 0.5)


def test_nothing_to_compare_or_too_much(
    curation: ReportInput, settings: CurateConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    alone = replace(curation, split=Split(names=np.full(54, "train"), by="block"))
    alone = replace(alone, summary=curation.summary | {"split_by": "block"}, leakage=None)
    assert measured(alone, settings) is None
    assert "nothing to compare" in Page(written(alone, tmp_path)).text
    monkeypatch.setattr(leaking, "MOST", 50)
    monkeypatch.setattr(report, "MOST", 50)
    assert measured(curation, settings) is None
    text = Page(written(replace(curation, leakage=None), tmp_path)).text
    assert "With more than 50 images this is not measured here" in text
