from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from aslkit.captures import CapturedFrame
from aslkit.curate.clean import Judged, clean


def judged(index: int, pixels: int | None, letter: str, signer: str = "ada") -> Judged:
    frame = CapturedFrame(path=Path(f"{index}.jpg"), signer=signer, session="one", letter=letter)
    error = None if pixels is not None else "empty file"
    return Judged(frame=frame, content=str(index), seen={"error": error, "sha256": pixels})


def test_each_reason() -> None:
    kept, refused = clean(
        [
            judged(0, 1, "A"),
            judged(1, None, "A"),
            judged(2, 1, "A"),
            judged(3, 2, "A"),
            judged(4, 2, "B"),
            judged(5, 1, "A", "ben"),
        ]
    )
    assert [each.content for each in kept] == ["0"]
    assert [(each.frame.path.stem, each.reason, each.detail) for each in refused] == [
        ("1", "unreadable", "empty file"),
        ("2", "duplicate", "same pixels as ada/one/A/0.jpg"),
        ("3", "conflicting-label", "same pixels as ada/one/B/4.jpg"),
        ("4", "conflicting-label", "same pixels as ada/one/A/3.jpg"),
        ("5", "duplicate", "same pixels as ada/one/A/0.jpg"),
    ]


@given(st.lists(st.tuples(st.none() | st.integers(0, 5), st.sampled_from("ABC")), max_size=30))
def test_every_frame_is_kept_or_refused_and_no_pixels_are_kept_twice(frames: list[tuple[int | None, str]]) -> None:
    given_ = [judged(index, pixels, letter) for index, (pixels, letter) in enumerate(frames)]
    kept, refused = clean(given_)
    paths = [each.frame.path for each in given_]
    assert sorted([each.frame.path for each in kept] + [each.frame.path for each in refused]) == sorted(paths)
    assert [each.content for each in kept] == sorted((each.content for each in kept), key=int)
    pixels = [each.seen["sha256"] for each in kept]
    assert len(set(pixels)) == len(pixels)
    letters = {pixels: {letter for p, letter in frames if p == pixels} for pixels, _ in frames if pixels is not None}
    assert set(pixels) == {pixels for pixels, under in letters.items() if len(under) == 1}
