"""What curation advises to record next."""

import re
import shlex
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aslkit.core.letters import INDEX, LETTERS, parse_letters
from aslkit.curate.filter.label_issues import label_issue_scores
from aslkit.curate.report.recommendations import (
    MAX_RECOMMENDATIONS,
    Recommendation,
    format_letter_ranges,
    recommend_recordings,
)
from aslkit.datasets.split import SplitFrames
from tests.curate.factories import several


def everything(signer: str, count: int, *, session: str = "one") -> list[tuple[str, str, str, int]]:
    return [(signer, session, letter, count) for letter in LETTERS]


def told(frames: SplitFrames, points: Any = None) -> list[Recommendation]:
    """Advice on frames without hands, or with the hands given."""
    said = frames.label if points is None else label_issue_scores(points, frames.label, frames.group, seed=0)[1]
    return recommend_recordings(frames, said)


def test_a_whole_dataset_needs_no_advice() -> None:
    assert told(several(*everything("maria", 30), *everything("ben", 30))) == []


def test_one_person_alone_is_told_to_ask_another() -> None:
    advice = told(several(*everything("maria", 30)))
    assert [each.kind for each in advice] == ["person"]
    assert "maria" in advice[0].text
    assert advice[0].command == "aslkit capture --letters A-Y --signer NAME"


def test_with_synthetic_signers_only_there_is_one_thing_to_do() -> None:
    advice = told(several(*everything("synthetic-ada", 3), ("synthetic-ben", "one", "A", 2)))
    assert [each.command for each in advice] == ["aslkit capture --letters A-Y"]


def test_lacking_letters_come_before_few_ones() -> None:
    rows = [row for row in everything("ana maria", 90) if row[2] not in "KMN"]
    frames = several(*rows, ("ana maria", "one", "K", 25), *everything("ben", 30))
    advice = told(frames)
    assert [(each.kind, each.letters) for each in advice] == [("missing", ("M", "N")), ("few", ("K",))]
    assert advice[0].text == "ana maria has nothing of M and N: 90 of each."
    assert advice[1].text == "ana maria has few of K, at most 25 of each: 90 more."
    assert shlex.split(advice[0].command) == ["aslkit", "capture", "--letters", "M,N", "--signer", "ana maria"]


def test_letters_that_look_alike_for_a_signer(rng: np.random.Generator) -> None:
    frames = several(*everything("maria", 30), *everything("ben", 30))
    shapes = rng.normal(0, 1, (24, 21, 3))
    points = (shapes[frames.label] + rng.normal(0, 0.05, (len(frames), 21, 3))).astype(np.float32)
    theirs = (frames.signer == "maria") & np.isin(frames.label, [INDEX["M"], INDEX["N"]])
    points[theirs] = (shapes[INDEX["M"]] + rng.normal(0, 0.05, (60, 21, 3))).astype(np.float32)
    advice = told(frames, points)
    assert [(each.kind, each.signer, each.letters) for each in advice] == [("alike", "maria", ("M", "N"))]
    assert re.fullmatch(
        r"M and N look alike for maria \(\d+% taken for the other\): 40 more of each, .*", advice[0].text
    )
    assert advice[0].command == "aslkit capture --letters M,N --signer maria"


def test_letters_under_each_others_name_are_to_be_looked_at_first(rng: np.random.Generator) -> None:
    frames = several(*everything("maria", 12), *everything("ben", 60))
    shapes = rng.normal(0, 1, (24, 21, 3))
    shown = frames.label.copy()
    own = frames.signer == "maria"
    shown[own & (frames.label == INDEX["R"])] = INDEX["U"]
    shown[own & (frames.label == INDEX["U"])] = INDEX["R"]
    points = (shapes[shown] + rng.normal(0, 0.05, (len(frames), 21, 3))).astype(np.float32)
    advice = [each for each in told(frames, points) if each.kind == "alike"]
    assert [each.letters for each in advice] == [("R", "U")]
    assert "R and U may be swapped for maria (100% taken for the other). Look at them first" in advice[0].text


def test_near_copies_of_one_another_are_little_varied() -> None:
    frames = several(*everything("maria", 30), *everything("ben", 30))
    group = frames.group.copy()
    first = np.flatnonzero((frames.signer == "ben") & (frames.label == INDEX["A"]))
    group[first[:20]] = first[0]
    advice = told(replace(frames, group=group))
    assert [(each.kind, each.signer, each.letters) for each in advice] == [("narrow", "ben", ("A",))]


def test_letters_of_one_sitting_only_where_there_are_more() -> None:
    two = [*everything("maria", 30), *(row for row in everything("maria", 30, session="two") if row[2] != "Q")]
    advice = told(several(*two, *everything("ben", 30)))
    assert [(each.kind, each.signer, each.letters) for each in advice] == [("once", "maria", ("Q",))]


def test_advice_is_short_and_of_every_kind() -> None:
    rows = [(f"s{number:02}", "one", letter, 30) for number in range(20) for letter in LETTERS[:20]]
    rows += [(f"s{number:02}", "two", "A", 30) for number in range(20)]
    advice = told(several(*rows))
    assert len(advice) == 8 <= MAX_RECOMMENDATIONS
    assert Counter(each.kind for each in advice) == {"missing": 4, "once": 4}


@given(st.sets(st.sampled_from(LETTERS), min_size=1))
def test_ranges_of_letters_are_read_as_they_were_meant(letters: set[str]) -> None:
    assert parse_letters(format_letter_ranges(letters)) == tuple(sorted(letters))
