import shutil
from pathlib import Path

import numpy as np
import pytest

from aslkit.capture.import_images import ImportResult, import_folder
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, walk_captures
from aslkit.vision.images import Frame, decode_image, encode_jpeg, encode_png

INFO = SessionInfo(signer="ada", session="photos", camera="import photos")


@pytest.fixture
def empty(tmp_path: Path) -> Workspace:
    return Workspace(root=tmp_path / "workspace")


@pytest.fixture
def photos(tmp_path: Path, picture: Frame) -> Path:
    """Two good images of A, one of B."""
    for name, data in {
        "a/9.jpeg": encode_jpeg(picture),
        "a/10.png": encode_png(picture),
        "B/1.JPG": encode_jpeg(picture[:, ::-1]),
    }.items():
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(data)
    return tmp_path / "photos"


def take(source: Path, workspace: Workspace, *, mirrored: bool = False) -> ImportResult:
    return import_folder(source, workspace=workspace, info=INFO, mirrored=mirrored)


def keys(workspace: Workspace) -> list[str]:
    return [frame.key for frame in walk_captures(workspace.captures)]


def test_either_case_becomes_the_letter(photos: Path, empty: Workspace, picture: Frame) -> None:
    result = take(photos, empty)
    assert result.stored == {"A": 2, "B": 1}
    assert keys(empty) == ["ada/photos/A/9.jpg", "ada/photos/A/10.png", "ada/photos/B/1.jpg"]
    assert SessionInfo.load(empty.captures / "ada" / "photos" / "session.json") == INFO
    np.testing.assert_array_equal(decode_image((empty.captures / "ada/photos/A/10.png").read_bytes()), picture)


def test_what_is_left_out_is_listed_with_the_reason(photos: Path, empty: Workspace) -> None:
    for folder in ("J", "z", "space", "AA", "ß"):
        (photos / folder).mkdir()
        shutil.copy(photos / "a" / "9.jpeg", photos / folder)
    (photos / "a" / "0.jpg").write_bytes(b"")
    (photos / "a" / "1.jpg").write_text("a letter to my aunt")
    (photos / "a" / "notes.txt").write_text("x")
    (photos / "a" / "._9.jpeg").write_bytes(b"resource fork")
    (photos / "a" / "album.jpg").mkdir()
    (photos / "a" / "loop.jpg").symlink_to("loop.jpg")
    (photos / "a" / "memory.jpg").symlink_to("/proc/self/mem")
    (photos / "readme.txt").write_text("x")
    result = take(photos, empty)
    assert sum(result.stored.values()) == 3
    assert {path.relative_to(photos).as_posix(): why for path, why in result.left_out} == {
        "J": "its sign moves",
        "z": "its sign moves",
        "space": "not a letter",
        "AA": "not a letter",
        "ß": "not a letter",
        "a/0.jpg": "empty file",
        "a/1.jpg": "not an image (JPEG, PNG, WebP or BMP)",
        "a/notes.txt": "not an image file",
        "a/._9.jpeg": "hidden",
        "a/album.jpg": "not an image file",
        "a/loop.jpg": "not an image file",
        "a/memory.jpg": "cannot be read (Input/output error)",
        "readme.txt": "not in a letter's folder",
    }


def test_the_same_folder_twice_brings_nothing_new(photos: Path, empty: Workspace) -> None:
    for mirrored in (False, False, True, True):
        result = take(photos, empty, mirrored=mirrored)
    assert result.already_there == 3
    assert not result.stored
    assert len(keys(empty)) == 6  # each image as it is, and mirrored


def test_another_image_of_the_same_name_is_kept_beside(photos: Path, empty: Workspace, picture: Frame) -> None:
    take(photos, empty)
    other = encode_jpeg(picture[::-1])
    (photos / "a" / "9.jpeg").write_bytes(other)
    assert take(photos, empty).stored == {"A": 1}
    assert {key for key in keys(empty) if "/9" in key} == {"ada/photos/A/9.jpg", "ada/photos/A/9-2.jpg"}
    assert (empty.captures / "ada/photos/A/9-2.jpg").read_bytes() == other
    assert take(photos, empty).already_there == 3


def test_mirrored_images_are_stored_unmirrored(photos: Path, empty: Workspace, picture: Frame) -> None:
    take(photos, empty, mirrored=True)
    np.testing.assert_array_equal(decode_image((empty.captures / "ada/photos/A/10.png").read_bytes()), picture[:, ::-1])


def test_the_source_is_not_changed(photos: Path, empty: Workspace) -> None:
    before = {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()}
    take(photos, empty)
    assert {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()} == before


def test_the_longest_name_a_disk_takes(photos: Path, empty: Workspace) -> None:
    shutil.copy(photos / "B" / "1.JPG", photos / "B" / f"{'x' * 251}.jpg")
    assert take(photos, empty).stored["B"] == 2


def test_not_one_that_can_be_read(tmp_path: Path, empty: Workspace) -> None:
    (tmp_path / "bad" / "A").mkdir(parents=True)
    (tmp_path / "bad" / "A" / "1.jpg").write_bytes(b"")
    with pytest.raises(AslkitError, match=r"None of the 1 images .*1\.jpg: empty file") as caught:
        take(tmp_path / "bad", empty)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("made", ["nothing", "a file", "an empty folder", "an empty letter", "no letter"])
def test_no_folder_of_letters(tmp_path: Path, empty: Workspace, made: str) -> None:
    source = tmp_path / "source"
    if made == "a file":
        source.write_text("x")
    elif made != "nothing":
        (source / {"an empty letter": "A", "no letter": "hello"}.get(made, "")).mkdir(parents=True)
    with pytest.raises(InputError, match=r"There is no folder|is a file|holds no folder of a letter") as caught:
        take(source, empty)
    assert caught.value.exit_code == 2
    assert not empty.root.exists()
