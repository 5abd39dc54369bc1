from pathlib import Path

import pyarrow as pa

from aslkit.curate.report.notes import mirrored_session_notes, shared_image_notes
from aslkit.formats.captures import CapturedFrame


def frames(signer: str, count: int) -> list[CapturedFrame]:
    return [
        CapturedFrame(path=Path(f"{number}.jpg"), signer=signer, session="one", letter="A") for number in range(count)
    ]


def test_same_images_under_two_names_are_counted() -> None:
    hashes = [*map(str, range(10)), *map(str, range(10)), None, "0"]
    (copied, partly) = shared_image_notes([*frames("ann", 10), *frames("bob", 10), *frames("cat", 2)], hashes)
    assert copied.startswith("10 of 10 images of bob have the same pixels as images of ann, and were rejected.")
    assert partly.startswith("1 of 2 images of cat have the same pixels as images of ann")


def test_many_shared_pairs_are_summarised() -> None:
    people = [frame for name in "abcdefg" for frame in frames(name, 1)]
    notes = list(shared_image_notes(people, ["same"] * 7))
    assert len(notes) == 4
    assert notes[-1] == "3 more pairs of signers have images with the same pixels."


def test_own_duplicates_are_not_reported() -> None:
    assert list(shared_image_notes(frames("ann", 3), ["x", "x", None])) == []


def table(*sessions: tuple[str, str, int, int]) -> pa.Table:
    """Return rows for sessions of (signer, name, right hands, left hands)."""
    rows = [
        {"signer": signer, "session": name, "handedness": hand}
        for signer, name, right, left in sessions
        for hand in [*["right"] * right, *["left"] * left, None]
    ]
    return pa.Table.from_pylist(rows)


def test_session_with_the_other_hand_is_reported() -> None:
    (note,) = mirrored_session_notes(table(("m", "one", 20, 1), ("m", "two", 1, 19), ("n", "one", 0, 20)))
    assert note.startswith("Session two of m shows the left hand, most other frames the right hand.")
    assert "--mirrored" in note


def test_mixed_or_short_sessions_are_not_reported() -> None:
    assert not list(mirrored_session_notes(table(("m", "one", 20, 0), ("m", "two", 4, 12), ("m", "three", 0, 7))))
