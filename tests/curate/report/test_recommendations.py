"""Recommendations of what to record next."""

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
from tests.curate.factories import make_frames, synthetic_hands


def all_letters(signer: str, count: int, *, session: str = "one") -> list[tuple[str, str, str, int]]:
    return [(signer, session, letter, count) for letter in LETTERS]


def recommend(frames: SplitFrames, suggested: Any = None) -> list[Recommendation]:
    """Return the recommendations for frames whose letters are all, or not all, predicted as labelled."""
    return recommend_recordings(frames, frames.label if suggested is None else suggested)[0]


def test_complete_dataset_needs_no_recommendations() -> None:
    assert recommend(make_frames(*all_letters("maria", 30), *all_letters("ben", 30))) == []


def test_single_signer_needs_a_second_one() -> None:
    recommendations = recommend(make_frames(*all_letters("maria", 30)))
    assert [each.kind for each in recommendations] == ["signer"]
    assert "maria" in recommendations[0].text
    assert recommendations[0].command == "aslkit capture --letters A-Y --signer NAME"


def test_synthetic_dataset_needs_a_real_signer() -> None:
    recommendations = recommend(make_frames(*all_letters("synthetic-ada", 3), ("synthetic-ben", "one", "A", 2)))
    assert [each.command for each in recommendations] == ["aslkit capture --letters A-Y"]


def test_missing_letters_come_before_letters_with_few_frames() -> None:
    rows = [row for row in all_letters("ana maria", 90) if row[2] not in "KMN"]
    frames = make_frames(*rows, ("ana maria", "one", "K", 25), *all_letters("ben", 30))
    recommendations = recommend(frames)
    assert [(each.kind, each.letters) for each in recommendations] == [("missing", ("M", "N")), ("few", ("K",))]
    assert recommendations[0].text == "ana maria has no frames of M and N: record 90 of each."
    assert recommendations[1].text == "ana maria has few frames of K, at most 25 of each: record 90 more."
    assert shlex.split(recommendations[0].command) == ["aslkit", "capture", "--letters", "M,N", "--signer", "ana maria"]


def test_confused_letters_of_a_signer() -> None:
    frames = make_frames(*all_letters("maria", 30), *all_letters("ben", 30))
    suggested = frames.label.copy()
    suggested[(frames.signer == "maria") & (frames.label == INDEX["N"])] = INDEX["M"]
    recommendations = recommend(frames, suggested)
    assert [(each.kind, each.signer, each.letters) for each in recommendations] == [("confused", "maria", ("M", "N"))]
    assert recommendations[0].text.startswith(
        "maria's M and N are confused (50% predicted as the other letter): record 40 more of each, "
    )
    assert recommendations[0].command == "aslkit capture --letters M,N --signer maria"


def test_labels_of_swapped_letters_should_be_checked_first() -> None:
    """The starter model judges hands of which the R and U of one signer are swapped."""
    points, label = synthetic_hands(LETTERS, step=4)
    signer = np.resize(np.array(["maria", "ben"]), len(label))
    swapped = (signer == "maria") & np.isin(label, [INDEX["R"], INDEX["U"]])
    label[swapped] = INDEX["R"] + INDEX["U"] - label[swapped]
    frames = SplitFrames(signer=signer, session=np.full(len(label), "one"), label=label, group=np.arange(len(label)))
    recommendations = recommend(frames, label_issue_scores(points, label)[1])
    warned = [(each.signer, each.letters) for each in recommendations if "may be swapped" in each.text]
    assert warned == [("maria", ("R", "U"))]


def test_mostly_near_duplicates_are_little_varied() -> None:
    frames = make_frames(*all_letters("maria", 30), *all_letters("ben", 30))
    group = frames.group.copy()
    first = np.flatnonzero((frames.signer == "ben") & (frames.label == INDEX["A"]))
    group[first[:20]] = first[0]
    recommendations = recommend(replace(frames, group=group))
    assert [(each.kind, each.signer, each.letters) for each in recommendations] == [("little-varied", "ben", ("A",))]


def test_letters_from_one_of_several_sessions() -> None:
    two = [*all_letters("maria", 30), *(row for row in all_letters("maria", 30, session="two") if row[2] != "Q")]
    recommendations = recommend(make_frames(*two, *all_letters("ben", 30)))
    assert [(each.kind, each.signer, each.letters) for each in recommendations] == [("one-session", "maria", ("Q",))]


def test_recommendations_are_few_and_of_every_kind() -> None:
    rows = [(f"s{number:02}", "one", letter, 30) for number in range(20) for letter in LETTERS[:20]]
    rows += [(f"s{number:02}", "two", "A", 30) for number in range(20)]
    frames = make_frames(*rows)
    recommendations, more = recommend_recordings(frames, frames.label)
    assert len(recommendations) == 8 <= MAX_RECOMMENDATIONS
    assert more == 32
    assert Counter(each.kind for each in recommendations) == {"missing": 4, "one-session": 4}


@given(st.sets(st.sampled_from(LETTERS), min_size=1))
def test_letter_ranges_are_parsed_to_the_same_letters(letters: set[str]) -> None:
    assert parse_letters(format_letter_ranges(letters)) == tuple(sorted(letters))
