import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.capture.import_images import ImportResult, assign_sessions, import_sessions
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, count_letters, walk_captures
from aslkit.formats.frame_index import FrameIndex
from aslkit.formats.image_folders.read_folder import read_image_folder
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


def run_import(
    source: Path, workspace: Workspace, *, mirrored: bool = False, signer: str | None = "ada", **options: Any
) -> ImportResult:
    found = read_image_folder(source)
    given: dict[str, Any] = {"one_signer": False, "signer_from": None, "session": None, "keep_split": False, **options}
    groups = assign_sessions(found, source, signer=signer, **given)
    sessions = [
        (SessionInfo(signer=group.signer, session=group.session, camera="import photos", split=group.split), group)
        for group in groups
    ]
    result = import_sessions(sessions, workspace=workspace, mirrored=mirrored)
    result.skipped = found.skipped + result.skipped
    return result


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
        "J": "its sign is a movement; give videos, J/*.mp4, or a folder of frames for each clip, J/CLIP/*.jpg",
        "z": "its sign is a movement; give videos, Z/*.mp4, or a folder of frames for each clip, Z/CLIP/*.jpg",
        "space": "not a letter",
        "AA": "not a letter; if it means one, add --labels NAME=LETTER",
        "ß": "not a letter; if it means one, add --labels NAME=LETTER",
        "a/0.jpg": "empty file",
        "a/1.jpg": "not an image (JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC)",
        "a/notes.txt": "not an image file",
        "a/._9.jpeg": "hidden",
        "a/album.jpg": "in the folder of a letter",
        "a/loop.jpg": "not an image file",
        "a/memory.jpg": "cannot be read (Input/output error)",
        "readme.txt": "not an image file",
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
    with pytest.raises(AslkitError, match=r"None of 1 image can be read. .*1\.jpg: empty file") as caught:
        run_import(tmp_path / "bad", empty_workspace)
    assert caught.value.exit_code == 1


def test_nothing_is_written_for_a_folder_without_letters(tmp_path: Path, empty_workspace: Workspace) -> None:
    (tmp_path / "source").mkdir()
    with pytest.raises(InputError, match="source is empty"):
        run_import(tmp_path / "source", empty_workspace)
    assert not empty_workspace.root.exists()


def put(folder: Path, *names: str, seed: int = 0) -> Path:
    """Write different images."""
    rng = np.random.default_rng(seed)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(rng.integers(0, 256, (32, 32, 3), np.uint8)))
    return folder


def test_signers_are_the_folders_above_the_letters(tmp_path: Path, empty_workspace: Workspace) -> None:
    run_import(
        put(tmp_path / "photos", "maria/A/1.png", "ben li/A/1.png", "O'Brien/B/1.png"), empty_workspace, signer=None
    )
    assert frame_keys(empty_workspace) == ["O-Brien/photos/B/1.png", "ben li/photos/A/1.png", "maria/photos/A/1.png"]


def test_folders_can_all_show_one_signer(tmp_path: Path, empty_workspace: Workspace) -> None:
    photos = put(tmp_path / "photos", "A/monday/1.png", "A/tuesday/1.png", "B/monday/1.png")
    run_import(photos, empty_workspace, one_signer=True)
    assert frame_keys(empty_workspace) == ["ada/photos/A/1-2.png", "ada/photos/A/1.png", "ada/photos/B/1.png"]


@pytest.mark.parametrize("pattern", [r"hand\d+", r"(hand\d+)_", r"/(?:x|(?=h))(hand\d)"])
def test_signers_are_read_from_file_names(tmp_path: Path, empty_workspace: Workspace, pattern: str) -> None:
    photos = put(tmp_path / "photos", "A/hand1_a_1.png", "A/hand2_a_1.png", "B/hand1_b_1.png", "B/other.png")
    result = run_import(photos, empty_workspace, signer=None, signer_from=pattern)
    assert frame_keys(empty_workspace) == [
        "hand1/photos/A/hand1_a_1.png", "hand1/photos/B/hand1_b_1.png", "hand2/photos/A/hand2_a_1.png",
    ]  # fmt: skip
    assert [(session.info.signer, session.stored.total()) for session in result.sessions] == [
        ("hand1", 2),
        ("hand2", 1),
    ]


def test_image_without_signer_is_skipped(tmp_path: Path, empty_workspace: Workspace) -> None:
    photos = put(tmp_path / "photos", "A/hand1_1.png", "A/other.png")
    found = read_image_folder(photos)
    assign_sessions(found, photos, signer=None, one_signer=False, signer_from=r"hand\d", session=None, keep_split=False)
    assert found.skipped == [(photos / "A/other.png", "does not match --signer-from")]


@pytest.mark.parametrize(
    ("names", "options", "words"),
    [
        (["A/1.png"], {"signer": None}, "Who is signing.* If the file names say who signs, add --signer-from"),
        (["B/1.png", "train/A/1.png"], {}, "photos has letters at two depths: .*photos/B and .*photos/train/A. If they "
                                           "all show ada, add --one-signer. If not, .*such as .*photos/ada/B"),
        (["B/1.png", "train/A/1.png"], {"signer": None}, "two depths: .* add --signer NAME --one-signer. If not, put"),
        (["train/A/1.png", "test/A/1.png", "ben/A/1.png"], {}, "letters in the folder itself, ben. If these"),
        (["maria/A/1.png", "ben/A/1.png"], {}, "letters in ben, maria. If these are the signers, leave out --signer. "
                                               "If they all show ada, add --one-signer"),
        (["A/1.png"], {"signer": None, "one_signer": True}, "--one-signer requires --signer NAME"),
        (["m/one/A/1.png", "m/two/A/1.png", "n/one/A/1.png"], {"signer": None}, r"--signer-from '\[\^/\]\+'"),
        (["Maria/A/1.png", "maria/A/1.png"], {"signer": None}, "'Maria' and 'maria' differ only in case"),
        (["A/1.png"], {"signer": None, "signer_from": "("}, "is not a regular expression"),
        (["A/1.png"], {"signer": None, "signer_from": "(a)(b)"}, "has 2 groups"),
        (["A/1.png"], {"signer": None, "signer_from": "hand"}, "matches no path, such as A/1.png"),
        (["A/1.png"], {"keep_split": True}, "no folders train, valid and test"),
        (["A/1.png"], {"session": "../x"}, "is not a valid name for a session"),
    ],
)  # fmt: skip
def test_unclear_options_say_what_to_type(
    tmp_path: Path, empty_workspace: Workspace, names: list[str], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        run_import(put(tmp_path / "photos", *names), empty_workspace, **options)
    assert not empty_workspace.root.exists()


def test_split_is_merged_or_kept(tmp_path: Path, empty_workspace: Workspace) -> None:
    photos = put(tmp_path / "photos", "train/A/1.png", "train/B/1.png", "valid/A/1.png", "test/A/1.png")
    shutil.copy(photos / "train/A/1.png", photos / "test/A/2.png")
    assert run_import(photos, empty_workspace).leaked == 0
    assert {key.rpartition("/")[0] for key in frame_keys(empty_workspace)} == {"ada/photos/A", "ada/photos/B"}
    result = run_import(photos, empty_workspace, keep_split=True)
    assert result.leaked == 1
    splits = {session.info.session: session.info.split for session in result.sessions}
    assert splits == {"photos-train": "train", "photos-validation": "validation", "photos-test": "test"}
    for name, split in {**splits, "photos": None}.items():
        assert SessionInfo.load(empty_workspace.captures / "ada" / name / "session.json").split == split
    with pytest.raises(InputError, match="has images of the split train, not none"):
        run_import(photos, empty_workspace, session="photos-train")


def test_negatives_get_the_index_that_training_reads(
    tmp_path: Path, empty_workspace: Workspace, picture: Frame
) -> None:
    photos = put(tmp_path / "photos", "A/1.png", "nothing/empty.png")
    (photos / "none").mkdir()
    (photos / "none" / "hand.png").write_bytes(encode_png(picture))
    (photos / "none" / "cut.jpg").write_bytes(encode_jpeg(picture)[:-500])
    for _ in range(2):
        result = run_import(photos, empty_workspace)
        assert [(path.name, reason) for path, reason in result.skipped] == [("cut.jpg", "damaged or cut short")]
        index = FrameIndex.load(empty_workspace.captures / "ada" / "photos")
        assert {name: entry.landmarks is not None for name, entry in index.entries.items()} == {
            "none/empty.png": False, "none/hand.png": True,
        }  # fmt: skip
    assert count_letters(empty_workspace.captures, "ada") == {"A": 1, "none": 3}


def test_session_of_a_letter_folder_is_named_after_the_folder_above(tmp_path: Path, empty_workspace: Workspace) -> None:
    run_import(put(tmp_path / "photos", "A/1.png") / "A", empty_workspace)
    run_import(put(tmp_path / "P", "B/1.png", seed=1), empty_workspace)
    assert frame_keys(empty_workspace) == ["ada/P/B/1.png", "ada/photos/A/1.png"]
