import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslkit.core.errors import AslkitError, InputError
from aslkit.formats.captures import CapturedFrame, SessionInfo, frame_timestamp, walk_captures


def create_files(captures: Path, *keys: str) -> None:
    for key in keys:
        (captures / key).parent.mkdir(parents=True, exist_ok=True)
        (captures / key).write_bytes(b"x")


def frame(name: str) -> CapturedFrame:
    return CapturedFrame(path=Path(name), signer="ada", session="one", letter="A")


def test_walk_captures_yields_frames_in_natural_order(tmp_path: Path) -> None:
    keys = [
        "ada/one/A/1.jpg", "ada/one/A/2.JPEG", "ada/one/A/10.png", "ada/one/B/x.webp",
        "ada/two/A/1.bmp", "ben/a session with spaces/Y/1.jpg",
    ]  # fmt: skip
    create_files(tmp_path, *reversed(keys))
    assert [captured.key for captured in walk_captures(tmp_path)] == keys
    assert [captured.path.relative_to(tmp_path).as_posix() for captured in walk_captures(tmp_path)] == keys


def test_walk_captures_skips_other_files(tmp_path: Path) -> None:
    create_files(
        tmp_path, "ada/one/A/1.jpg", "ada/one/session.json", "ada/one/J/1.jpg", "ada/one/a/1.jpg", "ada/one/A/x.txt",
        "ada/one/A/._1.jpg", "ada/.trash/A/1.jpg", ".git/one/A/1.jpg", "ada/loose.jpg", "ada/one/A/deep/1.jpg",
    )  # fmt: skip
    (tmp_path / "ada/one/A/folder.jpg").mkdir()
    (tmp_path / "ada/one/A/gone.jpg").symlink_to("nowhere")
    (tmp_path / "ada/one/A/loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "ada/one/B").symlink_to("B")
    (tmp_path / "ben").symlink_to(".")
    assert {captured.key for captured in walk_captures(tmp_path) if captured.signer == "ada"} == {"ada/one/A/1.jpg"}


def test_missing_captures_folder_has_no_frames(tmp_path: Path) -> None:
    assert list(walk_captures(tmp_path / "missing")) == []


def test_key_of_undecodable_name_is_valid_text(tmp_path: Path) -> None:
    create_files(tmp_path, "ada/one/A/\udcff.jpg")
    assert next(walk_captures(tmp_path)).key.encode() == rb"ada/one/A/\xff.jpg"


@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))
def test_captured_at_is_read_from_name(at: datetime) -> None:
    assert frame(frame_timestamp(at) + ".jpg").captured_at == at.replace(microsecond=at.microsecond // 1000 * 1000)


def test_frame_timestamp_is_in_utc() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678_000, timezone(timedelta(hours=9)))
    assert frame_timestamp(at) == "20260101T180405678Z"


@pytest.mark.parametrize("name", ["1.jpg", "20260102T030405.jpg", "20261302T030405678Z.jpg", "clip-000001.jpg", ".jpg"])
def test_other_names_have_no_captured_at(name: str) -> None:
    assert frame(name).captured_at is None


def test_saved_session_is_loaded_again(tmp_path: Path) -> None:
    info = SessionInfo(signer="ada", session="ein Tag", camera="camera 0", licence="CC-BY-4.0", consent="„ja“\n")
    info.save(tmp_path)
    assert SessionInfo.load(tmp_path / "ada" / "ein Tag" / "session.json") == info


def test_session_without_file_is_named_after_folders(tmp_path: Path) -> None:
    info = SessionInfo.load(tmp_path / "ada" / "one" / "session.json")
    assert info == SessionInfo(signer="ada", session="one", camera="unknown")


def test_stated_licence_and_consent_are_kept(tmp_path: Path) -> None:
    SessionInfo(signer="ada", session="one", camera="0", licence="CC0", consent="for research").save(tmp_path)
    SessionInfo(signer="ada", session="one", camera="0").save(tmp_path)
    SessionInfo(signer="ada", session="one", camera="0", licence="CC-BY-4.0").save(tmp_path)
    now = SessionInfo.load(tmp_path / "ada" / "one" / "session.json")
    assert (now.licence, now.consent) == ("CC-BY-4.0", "for research")


@pytest.mark.parametrize(
    ("camera", "expected"),
    [
        ("camera 0", True), ("video a.mp4", True), ("browser", True), ("import photos", False), ("folder A", False),
        ("unknown", False),
    ],
)  # fmt: skip
def test_images_from_elsewhere_are_not_recorded(camera: str, expected: bool) -> None:
    assert SessionInfo(signer="ada", session="one", camera=camera).is_recorded is expected


def test_other_camera_is_rejected(tmp_path: Path) -> None:
    SessionInfo(signer="ada", session="one", camera="camera 0").save(tmp_path)
    with pytest.raises(InputError, match=r"recorded from 'camera 0', not 'camera 1'.*--session"):
        SessionInfo(signer="ada", session="one", camera="camera 1").save(tmp_path)
    assert SessionInfo.load(tmp_path / "ada" / "one" / "session.json").camera == "camera 0"


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000,
        b'{"camera": 5}', b'{"licence": {}}', b'{"consent": ["yes"]}',
    ],
)  # fmt: skip
def test_damaged_session_file_is_reported_with_remedy(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "ada" / "one" / "session.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    with pytest.raises(AslkitError) as caught:
        SessionInfo.load(path)
    assert str(path) in caught.value.message
    assert "Repair or delete it" in caught.value.message


def test_unknown_keys_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "ada" / "one" / "session.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"signer": "another signer", "camera": "c", "lens": "wide"}))
    assert SessionInfo.load(path) == SessionInfo(signer="ada", session="one", camera="c")


def test_names_are_composed(tmp_path: Path) -> None:
    create_files(tmp_path, "Jose\u0301/e\u0301te\u0301/A/1.jpg")
    (captured,) = walk_captures(tmp_path)
    assert captured.key == "Jos\xe9/\xe9t\xe9/A/1.jpg"
    assert captured.path.is_file()
    assert SessionInfo.load(captured.path.parents[1] / "session.json").signer == "Jos\xe9"


def test_split_of_a_session_is_stored(tmp_path: Path) -> None:
    info = SessionInfo(signer="ada", session="one-test", camera="import one", split="test")
    path = tmp_path / "ada" / "one-test" / "session.json"
    assert info.save(tmp_path) == SessionInfo.load(path) == info.save(tmp_path) == info
    SessionInfo(signer="ada", session="two", camera="0").save(tmp_path)
    assert "split" not in json.loads((tmp_path / "ada" / "two" / "session.json").read_text())
    path.write_text('{"camera": "import one", "split": "dev"}')
    with pytest.raises(AslkitError, match="is damaged"):
        SessionInfo.load(path)
