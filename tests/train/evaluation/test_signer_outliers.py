"""Letters that one signer forms unlike the others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aslkit.core.letters import INDEX
from aslkit.train.data import samples as data
from aslkit.train.evaluation.signer_outliers import ADVICE, find_signer_outliers
from aslkit.vision.preprocess import PreprocessConfig


@pytest.fixture
def samples(dataset: Path) -> data.Samples:
    loaded = data.load_samples(dataset, PreprocessConfig(kind="landmarks"))
    return replace(loaded, split=np.full_like(loaded.split, "train"))


def _rotate_letter(samples: data.Samples, signer: str, letter: str) -> data.Samples:
    rows = (samples.signer == signer) & (samples.label == INDEX[letter])
    hands = samples.hands.copy()
    hands[rows] = hands[rows] * np.array([-1, -1, 1], np.float32)  # fingers down
    return replace(samples, hands=hands)


def test_rotated_letter_is_an_outlier(samples: data.Samples) -> None:
    before = {(outlier.signer, outlier.letter) for outlier in find_signer_outliers(samples)}
    outliers = find_signer_outliers(_rotate_letter(samples, "synthetic-ben", "B"))
    assert ("synthetic-ben", "B") not in before
    first = outliers[0]
    assert (first.signer, first.letter) == ("synthetic-ben", "B")
    assert first.distance > 3 * first.usual
    assert first.key.startswith("synthetic-ben/one/B/")
    assert first.other_key.split("/")[2] == "B"
    assert "differs from all others" in first.text
    assert "keep both forms" in ADVICE


def test_swapped_letter_looks_like_the_other_letter(samples: data.Samples) -> None:
    of_signer = samples.signer == "synthetic-cleo"
    label = samples.label.copy()
    label[of_signer & (samples.label == INDEX["B"])] = INDEX["Y"]
    label[of_signer & (samples.label == INDEX["Y"])] = INDEX["B"]
    outliers = {
        (outlier.signer, outlier.letter): outlier for outlier in find_signer_outliers(replace(samples, label=label))
    }
    assert outliers["synthetic-cleo", "B"].looks_like[0] == "Y"
    assert "looks like Y of" in outliers["synthetic-cleo", "B"].text


def test_mistaken_handedness_is_not_an_outlier(samples: data.Samples) -> None:
    hands = samples.hands.copy()
    hands[samples.signer == "synthetic-ben"] *= np.array([-1, 1, 1], np.float32)
    before, after = (
        {(outlier.signer, outlier.letter) for outlier in find_signer_outliers(each)}
        for each in (samples, replace(samples, hands=hands))
    )
    assert before == after


def test_test_signers_and_single_signers_are_ignored(samples: data.Samples) -> None:
    rotated = _rotate_letter(samples, "synthetic-ben", "B")
    hidden = replace(rotated, split=np.where(rotated.signer == "synthetic-ben", "test", "train"))
    assert all(outlier.signer != "synthetic-ben" for outlier in find_signer_outliers(hidden))
    assert find_signer_outliers(replace(samples, signer=np.full_like(samples.signer, "ada"))) == []
