from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from aslkit.curate.filter.exact_duplicates import Rejection, drop_exact_duplicates
from aslkit.formats.captures import CapturedFrame


def make_frame(index: int, letter: str, signer: str = "ada") -> CapturedFrame:
    return CapturedFrame(path=Path(f"{index}.jpg"), signer=signer, session="one", letter=letter)


def clean(frames: list[tuple[CapturedFrame, str | None]]) -> tuple[list[int], list[Rejection]]:
    """Drop exact duplicates of (frame, hash) pairs; a hash of None is an unreadable file."""
    return drop_exact_duplicates(
        [frame for frame, _ in frames],
        ["empty file" if pixels is None else None for _, pixels in frames],
        [pixels for _, pixels in frames],
    )


def test_reason_and_detail_of_each_rejection() -> None:
    kept, rejected = clean(
        [
            (make_frame(0, "A"), "1"),
            (make_frame(1, "A"), None),
            (make_frame(2, "A"), "1"),
            (make_frame(3, "A"), "2"),
            (make_frame(4, "B"), "2"),
            (make_frame(5, "A", "ben"), "1"),
        ]
    )
    assert kept == [0]
    assert [(found.frame.path.stem, found.reason, found.detail) for found in rejected] == [
        ("1", "unreadable", "empty file"),
        ("2", "duplicate", "same pixels as ada/one/A/0.jpg"),
        ("3", "conflicting-label", "same pixels as ada/one/B/4.jpg"),
        ("4", "conflicting-label", "same pixels as ada/one/A/3.jpg"),
        ("5", "duplicate", "same pixels as ada/one/A/0.jpg"),
    ]


@given(st.lists(st.tuples(st.none() | st.sampled_from("012345"), st.sampled_from("ABC")), max_size=30))
def test_every_frame_is_kept_or_rejected_and_kept_pixels_are_unique(frames: list[tuple[str | None, str]]) -> None:
    kept, rejected = clean([(make_frame(index, letter), pixels) for index, (pixels, letter) in enumerate(frames)])
    assert sorted([*kept, *(int(found.frame.path.stem) for found in rejected)]) == list(range(len(frames)))
    assert kept == sorted(kept)
    pixels = [frames[index][0] for index in kept]
    assert len(set(pixels)) == len(pixels)
    letters = {pixels: {letter for p, letter in frames if p == pixels} for pixels, _ in frames if pixels is not None}
    assert set(pixels) == {pixels for pixels, under in letters.items() if len(under) == 1}
