from pathlib import Path

import pytest

from aslkit.formats.captures import walk_captures
from aslkit.formats.image_folders.misplaced_images import misplaced_images


def create_files(captures: Path, *keys: str) -> None:
    for key in keys:
        (captures / key).parent.mkdir(parents=True, exist_ok=True)
        (captures / key).write_bytes(b"x")


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        ("maria/A/1.jpg", "no folder for the session; expected maria/SESSION/A/1.jpg"),
        ("jon/monday/a/1.jpg", "letters are uppercase; expected jon/monday/A/1.jpg"),
        ("jon/monday/J/1.jpg", "J is signed with a movement; record clips with `aslkit capture --letter J`"),
        (
            "jon/monday/J/one/1.jpg",
            "jon/monday/J/one has no frames.jsonl with the times of its frames; add the clip with `aslkit import`",
        ),
        ("1.jpg", "expected SIGNER/SESSION/LETTER/NAME"),
        ("A/1.jpg", "expected SIGNER/SESSION/LETTER/NAME"),
        ("jon/1.png", "expected SIGNER/SESSION/LETTER/NAME"),
        ("jon/monday/1.webp", "expected SIGNER/SESSION/LETTER/NAME"),
        ("jon/monday/A/deep/1.jpg", "expected SIGNER/SESSION/LETTER/NAME"),
        ("jon/monday/train/A/1.jpg", "expected SIGNER/SESSION/LETTER/NAME"),
    ],
)
def test_misplaced_image_is_found_with_advice(tmp_path: Path, key: str, advice: str) -> None:
    create_files(tmp_path, key)
    (image,) = misplaced_images(tmp_path)
    assert (image.key, image.path, image.advice) == (key, tmp_path / key, advice)


def test_every_image_is_a_frame_or_misplaced(tmp_path: Path) -> None:
    frames = ["ada/one/A/1.jpg", "ada/one/B/2.png"]
    other = ["ada/A/1.jpg", "ada/one/a/1.jpg", "x.jpg", "ada/one/A/x/1.jpg"]
    clips = [
        "ada/one/J/c/0000.jpg",
        "ada/one/J/c/frames.jsonl",
        "ada/one/none/c/0000.jpg",
        "ada/one/none/c/frames.jsonl",
    ]
    ignored = [
        *clips,
        "ada/one/none/1.jpg",
        "ada/one/A/.1.jpg",
        ".trash/A/1.jpg",
        "ada/one/A/x.txt",
        "ada/one/session.json",
    ]
    create_files(tmp_path, *frames, *other, *ignored)
    (tmp_path / "ada" / "loop").symlink_to("..")
    assert [frame.key for frame in walk_captures(tmp_path) if frame.signer == "ada"] == frames
    found = [image.key for image in misplaced_images(tmp_path)]
    assert sorted(set(found)) == sorted(other)


def test_no_captures_folder_has_no_misplaced_images(tmp_path: Path) -> None:
    assert list(misplaced_images(tmp_path / "missing")) == []
