import base64
from pathlib import Path

import numpy as np

from aslkit.core.workspace import Workspace
from aslkit.curate.filter.exact_duplicates import Rejection
from aslkit.curate.report import galleries
from aslkit.curate.report.galleries import DESCRIPTIONS, WITHOUT_GALLERY, build_galleries, sample_diverse, thumbnail
from aslkit.formats.captures import walk_captures
from aslkit.vision.images import Frame, decode_image, encode_jpeg
from tests.curate.read_report import make_rejections


def test_gallery_has_many_signers_and_letters(curated: Workspace) -> None:
    chosen = sample_diverse(make_rejections(curated, "blurred", count=54), 3)
    assert {each.frame.signer for each in chosen} == {"ada", "ben", "cleo"}
    assert {each.frame.letter for each in chosen} == {"A", "B", "L"}


def test_duplicate_is_shown_with_its_original(curated: Workspace) -> None:
    frames = list(walk_captures(curated.captures))
    paths = {frame.key: frame.path for frame in frames}
    found = build_galleries(
        [
            Rejection(frame=frames[1], reason="duplicate", detail=f"same pixels as {frames[0].key}"),
            Rejection(frame=frames[2], reason="near-duplicate", detail=f"like {frames[3].key}, which is sharper"),
        ],
        [Rejection(frame=frames[5], reason="no-hand", detail=f"like {frames[3].key}")],
        paths,
    )
    assert [(each.reason, each.kept, each.restorable) for each in found] == [
        ("duplicate", False, False),
        ("near-duplicate", False, True),
        ("no-hand", True, False),
    ]
    assert found[0].images[0].original == (frames[0].key, thumbnail(frames[0].path))
    assert found[1].images[0].original == (frames[3].key, thumbnail(frames[3].path))
    assert found[2].images[0].original is None


def test_no_frame_is_shown_twice(curated: Workspace) -> None:
    frames = list(walk_captures(curated.captures))
    paths = {frame.key: frame.path for frame in frames}
    like = [Rejection(frame=each, reason="near-duplicate", detail=f"like {frames[9].key}") for each in frames[:3]]
    flagged = [Rejection(frame=each, reason="cut-off", detail="") for each in frames[:4]]
    shown = [key for each in build_galleries(like, flagged, paths) for key in sorted(each.shown_keys())]
    assert len(shown) == len(set(shown))
    assert {frames[9].key, frames[3].key} <= set(shown)


def test_number_of_images_is_limited(curated: Workspace) -> None:
    findings = [
        each
        for reason in DESCRIPTIONS
        for each in make_rejections(curated, reason, f"same pixels as {reason}", count=30)
    ]
    found = build_galleries(findings, findings, {})
    assert len(found) == 2 * (len(DESCRIPTIONS) - len(WITHOUT_GALLERY))
    assert sum(len(each.images) for each in found if each.reason != "unreadable") <= galleries.MAX_IMAGES
    assert all(each.count == 30 for each in found)


def test_thumbnails_are_small(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (480, 1920, 3), np.uint8)
    path = tmp_path / "wide.jpg"
    path.write_bytes(encode_jpeg(image))
    hand = np.random.default_rng(0).uniform(-0.2, 1.2, (21, 3)).astype(np.float32)
    assert decode_uri(thumbnail(path)).shape == (36, 144, 3)
    for landmarks in (hand, hand * 0.001, np.zeros((21, 3), np.float32)):
        assert decode_uri(thumbnail(path, landmarks)).shape == (144, 144, 3)
    path.write_bytes(b"x")
    assert thumbnail(path) is None
    assert thumbnail(tmp_path / "gone.jpg") is None


def decode_uri(uri: str | None) -> Frame:
    assert uri is not None
    return decode_image(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,")))
