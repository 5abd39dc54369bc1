from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from aslkit.curate.filter.exact_duplicates import Rejection, drop_exact_duplicates
from aslkit.formats.captures import CapturedFrame


def captured(index: int, letter: str, signer: str = "ada") -> CapturedFrame:
    return CapturedFrame(path=Path(f"{index}.jpg"), signer=signer, session="one", letter=letter)


def cleaned(given_: list[tuple[CapturedFrame, str | None]]) -> tuple[list[int], list[Rejection]]:
    return drop_exact_duplicates(
        [frame for frame, _ in given_],
        ["empty file" if pixels is None else None for _, pixels in given_],
        [pixels for _, pixels in given_],
    )


def test_each_reason() -> None:
    kept, refused = cleaned(
        [
            (captured(0, "A"), "1"),
            (captured(1, "A"), None),
            (captured(2, "A"), "1"),
            (captured(3, "A"), "2"),
            (captured(4, "B"), "2"),
            (captured(5, "A", "ben"), "1"),
        ]
    )
    assert kept == [0]
    assert [(each.frame.path.stem, each.reason, each.detail) for each in refused] == [
        ("1", "unreadable", "empty file"),
        ("2", "duplicate", "same pixels as ada/one/A/0.jpg"),
        ("3", "conflicting-label", "same pixels as ada/one/B/4.jpg"),
        ("4", "conflicting-label", "same pixels as ada/one/A/3.jpg"),
        ("5", "duplicate", "same pixels as ada/one/A/0.jpg"),
    ]


@given(st.lists(st.tuples(st.none() | st.sampled_from("012345"), st.sampled_from("ABC")), max_size=30))
def test_every_frame_is_kept_or_refused_and_no_pixels_are_kept_twice(frames: list[tuple[str | None, str]]) -> None:
    kept, refused = cleaned([(captured(index, letter), pixels) for index, (pixels, letter) in enumerate(frames)])
    assert sorted([*kept, *(int(each.frame.path.stem) for each in refused)]) == list(range(len(frames)))
    assert kept == sorted(kept)
    pixels = [frames[index][0] for index in kept]
    assert len(set(pixels)) == len(pixels)
    letters = {pixels: {letter for p, letter in frames if p == pixels} for pixels, _ in frames if pixels is not None}
    assert set(pixels) == {pixels for pixels, under in letters.items() if len(under) == 1}
