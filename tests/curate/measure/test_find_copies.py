from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from aslkit.curate.measure import copy_search
from aslkit.curate.measure.copy_search import SearchedFrames, search_copies
from aslkit.curate.measure.engine import Local
from aslkit.curate.measure.find_copies import family_names, find_copies
from aslkit.curate.measure.group_frames import pair_named_copies
from aslkit.curate.measure.photo_copies import prepare_photo
from aslkit.formats.captures import CapturedFrame, SessionInfo
from aslkit.vision.images import encode_png

COUNT = 12


def texture(seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Return an image with contrast at all scales, like a photo."""
    import cv2

    rng = np.random.default_rng(seed)
    layers = [cv2.resize(rng.normal(0, 40, (side, side)), (160, 120)) for side in (3, 6, 12, 24, 48)]
    return np.asarray(np.clip(110 + sum(layers), 0, 255), np.uint8)


@pytest.mark.parametrize(
    ("stems", "expected"),
    [
        (["a_jpg.rf.0f3a9c1b2d", "a_jpg.rf.77aa0c1b2d", "b_jpg.rf.0f3a9c1b2d"], ["a_jpg", "a_jpg", "b_jpg"]),
        (["hand_aug3", "hand_aug_4", "hand", "hand-augmented"], ["hand"] * 4),
        (["hand - Copy", "hand - Copy (2)", "hand-copy", "hand_copy2"], ["hand"] * 4),
        (["hand", "hand (1)", "hand (2)"], ["hand"] * 3),
        (["A (1)", "A (2)"], ["A (1)", "A (2)"]),  # numbered photos without an original
        (["0001", "0002", "copy", "aug1"], ["0001", "0002", "copy", "aug1"]),
        (["hand (1)_aug2", "hand (1)", "hand"], ["hand"] * 3),
    ],
)
def test_names_of_copies(stems: list[str], expected: list[str]) -> None:
    assert family_names(stems) == expected


def test_names_are_compared_within_letter_and_source() -> None:
    def frame(session: str, letter: str, name: str) -> CapturedFrame:
        return CapturedFrame(path=Path(f"{name}.jpg"), signer="ann", session=session, letter=letter)

    frames = [
        frame("s-train", "A", "x_aug1"), frame("s-test", "A", "x_aug2"), frame("s-train", "B", "x_aug1"),
        frame("other", "A", "x_aug3"), frame("third", "A", "x"),
    ]  # fmt: skip
    kept = {"s-train": "train", "s-test": "test"}
    sessions = {
        ("ann", name): SessionInfo(signer="ann", session=name, camera="import s", split=kept.get(name))  # type: ignore[arg-type]
        for name in ("s-train", "s-test", "other", "third")
    }
    assert sorted(map(sorted, pair_named_copies(frames, sessions).tolist())) == [[0, 1]]


def test_copies_are_found_among_other_images() -> None:
    photos = []
    for seed in range(COUNT):
        gray = texture(seed)
        photos += [
            prepare_photo(gray),
            prepare_photo(np.ascontiguousarray(gray[8:, 12:])),
            prepare_photo(gray[:, ::-1]),
        ]
    group = np.arange(len(photos))
    found = Counter(frozenset(pair) for pair in find_copies(photos, group))
    assert set(found.values()) == {1}
    assert {first // 3 == second // 3 for first, second in found} == {True}
    assert len(found) == 3 * COUNT
    # Images of one group are not compared again.
    assert not list(find_copies(photos, group // 3))
    queries = np.arange(len(photos)) % 3 == 0
    assert {tuple(sorted(pair)) for pair in find_copies(photos, group, queries)} == {
        (3 * number, 3 * number + other) for number in range(COUNT) for other in (1, 2)
    }


def test_search_is_cached_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(6)]
    for number, path in enumerate(paths):
        gray = texture(number // 2)[number % 2 * 9 :]
        path.write_bytes(encode_png(np.repeat(gray[:, :, None], 3, axis=2)))
    frames = SearchedFrames(
        paths=paths, contents=[path.name for path in paths], hands=np.full((6, 21, 2), np.nan, np.float32)
    )
    part, group, cache = np.array(["a", "a", "a", "a", "b", "b"]), np.arange(6), tmp_path / "cache" / "copies.json"
    expected = [[0, 1], [2, 3], [4, 5]]
    assert sorted(search_copies(frames, part, group, engine=Local(), cache=cache).tolist()) == expected
    monkeypatch.setattr(copy_search, "find_copies_in_part", None)  # comparing again would fail
    assert sorted(search_copies(frames, part, group, engine=Local(), cache=cache).tolist()) == expected
    monkeypatch.undo()
    cache.write_bytes(b"damaged")
    assert sorted(search_copies(frames, part, group, engine=Local(), cache=cache).tolist()) == expected
    joined = np.array([0, 0, 2, 2, 4, 4])
    assert search_copies(frames, part, joined, engine=Local(), cache=cache).shape == (0, 2)
