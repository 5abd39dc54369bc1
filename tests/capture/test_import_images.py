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
def empty_workspace(tmp_path: Path) -> Workspace:
    return Workspace(root=tmp_path / "workspace")


@pytest.fixture
def photos(tmp_path: Path, picture: Frame) -> Path:
    """A folder with two good images of A and one of B."""
    for name, data in {
        "a/9.jpeg": encode_jpeg(picture),
        "a/10.png": encode_png(picture),
        "B/1.JPG": encode_jpeg(picture[:, ::-1]),
    }.items():
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(data)
    return tmp_path / "photos"


def run_import(source: Path, workspace: Workspace, *, mirrored: bool = False) -> ImportResult:
    return import_folder(source, workspace=workspace, info=INFO, mirrored=mirrored)


def frame_keys(workspace: Workspace) -> list[str]:
    return [frame.key for frame in walk_captures(workspace.captures)]


def test_folder_names_may_be_upper_or_lower_case(photos: Path, empty_workspace: Workspace, picture: Frame) -> None:
    result = run_import(photos, empty_workspace)
    assert result.stored == {"A": 2, "B": 1}
    assert frame_keys(empty_workspace) == ["ada/photos/A/9.jpg", "ada/photos/A/10.png", "ada/photos/B/1.jpg"]
    assert SessionInfo.load(empty_workspace.captures / "ada" / "photos" / "session.json") == INFO
    np.testing.assert_array_equal(
        decode_image((empty_workspace.captures / "ada/photos/A/10.png").read_bytes()), picture
    )


def test_skipped_files_are_listed_with_reason(photos: Path, empty_workspace: Workspace) -> None:
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
    result = run_import(photos, empty_workspace)
    assert sum(result.stored.values()) == 3
    assert {path.relative_to(photos).as_posix(): reason for path, reason in result.skipped} == {
        "J": "its sign is a movement",
        "z": "its sign is a movement",
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
        "readme.txt": "not in a letter folder",
    }


def test_second_import_of_same_folder_adds_nothing(photos: Path, empty_workspace: Workspace) -> None:
    for mirrored in (False, False, True, True):
        result = run_import(photos, empty_workspace, mirrored=mirrored)
    assert result.already_imported == 3
    assert not result.stored
    assert len(frame_keys(empty_workspace)) == 6  # each image unmirrored and mirrored


def test_other_image_of_same_name_is_stored_under_new_name(
    photos: Path, empty_workspace: Workspace, picture: Frame
) -> None:
    run_import(photos, empty_workspace)
    other = encode_jpeg(picture[::-1])
    (photos / "a" / "9.jpeg").write_bytes(other)
    assert run_import(photos, empty_workspace).stored == {"A": 1}
    assert {key for key in frame_keys(empty_workspace) if "/9" in key} == {"ada/photos/A/9.jpg", "ada/photos/A/9-2.jpg"}
    assert (empty_workspace.captures / "ada/photos/A/9-2.jpg").read_bytes() == other
    assert run_import(photos, empty_workspace).already_imported == 3


def test_mirrored_images_are_stored_unmirrored(photos: Path, empty_workspace: Workspace, picture: Frame) -> None:
    run_import(photos, empty_workspace, mirrored=True)
    np.testing.assert_array_equal(
        decode_image((empty_workspace.captures / "ada/photos/A/10.png").read_bytes()), picture[:, ::-1]
    )


def test_source_is_not_modified(photos: Path, empty_workspace: Workspace) -> None:
    before = {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()}
    run_import(photos, empty_workspace)
    assert {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()} == before


def test_longest_possible_file_name(photos: Path, empty_workspace: Workspace) -> None:
    shutil.copy(photos / "B" / "1.JPG", photos / "B" / f"{'x' * 251}.jpg")
    assert run_import(photos, empty_workspace).stored["B"] == 2


def test_import_fails_if_no_image_can_be_read(tmp_path: Path, empty_workspace: Workspace) -> None:
    (tmp_path / "bad" / "A").mkdir(parents=True)
    (tmp_path / "bad" / "A" / "1.jpg").write_bytes(b"")
    with pytest.raises(AslkitError, match=r"None of the 1 images .*1\.jpg: empty file") as caught:
        run_import(tmp_path / "bad", empty_workspace)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("content", ["nothing", "a file", "an empty folder", "an empty letter", "no letter"])
def test_source_without_letter_folders_is_rejected(tmp_path: Path, empty_workspace: Workspace, content: str) -> None:
    source = tmp_path / "source"
    if content == "a file":
        source.write_text("x")
    elif content != "nothing":
        (source / {"an empty letter": "A", "no letter": "hello"}.get(content, "")).mkdir(parents=True)
    with pytest.raises(InputError, match=r"does not exist|is a file|contains no letter folder") as caught:
        run_import(source, empty_workspace)
    assert caught.value.exit_code == 2
    assert not empty_workspace.root.exists()
