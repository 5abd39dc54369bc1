"""A letter that one person signs otherwise is found, and only that."""

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


def _turned(samples: data.Samples, signer: str, letter: str) -> data.Samples:
    rows = (samples.signer == signer) & (samples.label == INDEX[letter])
    raw = samples.raw.copy()
    raw[rows] = raw[rows] * np.array([-1, -1, 1], np.float32)  # fingers down
    return replace(samples, raw=raw)


def test_a_form_of_its_own_is_named_with_what_to_do(samples: data.Samples) -> None:
    before = {(form.signer, form.letter) for form in find_signer_outliers(samples)}
    found = find_signer_outliers(_turned(samples, "synthetic-ben", "B"))
    assert ("synthetic-ben", "B") not in before
    first = found[0]
    assert (first.signer, first.letter) == ("synthetic-ben", "B")
    assert first.distance > 3 * first.usual
    assert first.key.startswith("synthetic-ben/one/B/")
    assert first.other_key.split("/")[2] == "B"
    assert "a form of its own" in first.text
    assert "keep both forms" in ADVICE


def test_swapped_letters_look_like_each_other(samples: data.Samples) -> None:
    mine = samples.signer == "synthetic-cleo"
    label = samples.label.copy()
    label[mine & (samples.label == INDEX["B"])] = INDEX["Y"]
    label[mine & (samples.label == INDEX["Y"])] = INDEX["B"]
    found = {(form.signer, form.letter): form for form in find_signer_outliers(replace(samples, label=label))}
    assert found["synthetic-cleo", "B"].looks_like[0] == "Y"
    assert "'s Y" in found["synthetic-cleo", "B"].text


def test_a_signer_whose_hand_is_taken_for_the_other_is_no_form(samples: data.Samples) -> None:
    raw = samples.raw.copy()
    raw[samples.signer == "synthetic-ben"] *= np.array([-1, 1, 1], np.float32)
    before, after = (
        {(f.signer, f.letter) for f in find_signer_outliers(each)} for each in (samples, replace(samples, raw=raw))
    )
    assert before == after


def test_people_tested_on_have_no_part_and_one_person_has_no_others(samples: data.Samples) -> None:
    odd = _turned(samples, "synthetic-ben", "B")
    hidden = replace(odd, split=np.where(odd.signer == "synthetic-ben", "test", "train"))
    assert all(form.signer != "synthetic-ben" for form in find_signer_outliers(hidden))
    assert find_signer_outliers(replace(samples, signer=np.full_like(samples.signer, "ada"))) == []
