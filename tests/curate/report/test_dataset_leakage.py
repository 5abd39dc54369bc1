from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.report import dataset_leakage, report
from aslkit.curate.report.dataset_leakage import measure_dataset_leakage
from aslkit.curate.report.leakage import audit_dataset
from aslkit.curate.report.report import ReportInput
from aslkit.datasets.split import Split
from aslkit.vision.images import perceptual_hash, to_gray
from aslkit.vision.perceptual_hash import downscale_gray
from tests.curate.read_report import Page, measure_leakage_of, write_report


def test_leakage_is_the_same_as_in_an_audit(curated: Workspace, curation: ReportInput, settings: CurateConfig) -> None:
    found = measure_leakage_of(curation, settings)
    audited = audit_dataset(curated.dataset("custom"), distance=settings.group_distance).own
    assert found is not None
    assert audited is not None
    assert (found.own.test, found.own.train, found.tested) == (audited.test, audited.train, audited.test)
    for name in ("copies", "hash_copies", "correlation", "remembered", "hash_remembered"):
        assert getattr(found.own, name) == pytest.approx(getattr(audited, name), abs=0.002), name
    assert found.random.remembered >= found.own.remembered


def test_sample_of_a_large_test_split_is_compared(
    curation: ReportInput, settings: CurateConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dataset_leakage, "MAX_TEST_IMAGES", 7)
    found = measure_leakage_of(curation, settings)
    assert found is not None
    assert (found.own.test, found.own.train, found.tested) == (7, 36, 18)
    assert found == measure_leakage_of(curation, settings)
    text = " ".join(Page(write_report(replace(curation, leakage=found), tmp_path)).text.split())
    assert "A random sample of 7 of 18 test images was compared." in text


def test_planted_copy_is_found() -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (60, 60, 3), np.uint8) for _ in range(9)]
    images.append(images[0])
    thumbnails = np.stack([downscale_gray(to_gray(image)) for image in images])
    hashes = np.array([perceptual_hash(image) for image in images], np.uint64)
    test = np.arange(10) >= 8
    found = measure_dataset_leakage(thumbnails, hashes, np.repeat([0, 1], 5), test, distance=4, seed=0)
    assert found is not None
    assert (found.own.copies, found.own.hash_copies) == (0.5, 0.5)


def test_no_test_images_or_too_many_images(
    curation: ReportInput, settings: CurateConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    untested = replace(curation, split=Split(names=np.full(54, "train"), by="block"))
    untested = replace(untested, summary=curation.summary | {"split_by": "block"}, leakage=None)
    assert measure_leakage_of(untested, settings) is None
    assert "no test images yet" in Page(write_report(untested, tmp_path)).text
    monkeypatch.setattr(dataset_leakage, "MAX_IMAGES", 50)
    monkeypatch.setattr(report, "MAX_IMAGES", 50)
    assert measure_leakage_of(curation, settings) is None
    text = Page(write_report(replace(curation, leakage=None), tmp_path)).text
    assert "Data leakage is not measured for more than 50 images." in text
