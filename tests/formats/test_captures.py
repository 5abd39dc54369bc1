import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslkit.core.errors import AslkitError, InputError
from aslkit.formats.captures import CapturedFrame, SessionInfo, frame_timestamp, walk_captures


def put(captures: Path, *keys: str) -> None:
    for key in keys:
        (captures / key).parent.mkdir(parents=True, exist_ok=True)
        (captures / key).write_bytes(b"x")


def frame(name: str) -> CapturedFrame:
    return CapturedFrame(path=Path(name), signer="ada", session="one", letter="A")


def test_walk_gives_every_frame_in_the_order_taken(tmp_path: Path) -> None:
    keys = [
        "ada/one/A/1.jpg", "ada/one/A/2.JPEG", "ada/one/A/10.png", "ada/one/B/x.webp",
        "ada/two/A/1.bmp", "ben/a session with spaces/Y/1.jpg",
    ]  # fmt: skip
    put(tmp_path, *reversed(keys))
    assert [each.key for each in walk_captures(tmp_path)] == keys
    assert [each.path.relative_to(tmp_path).as_posix() for each in walk_captures(tmp_path)] == keys


def test_walk_passes_over_what_is_no_frame(tmp_path: Path) -> None:
    put(
        tmp_path, "ada/one/A/1.jpg", "ada/one/session.json", "ada/one/J/1.jpg", "ada/one/a/1.jpg", "ada/one/A/x.txt",
        "ada/one/A/._1.jpg", "ada/.trash/A/1.jpg", ".git/one/A/1.jpg", "ada/loose.jpg", "ada/one/A/deep/1.jpg",
    )  # fmt: skip
    (tmp_path / "ada/one/A/folder.jpg").mkdir()
    (tmp_path / "ada/one/A/gone.jpg").symlink_to("nowhere")
    (tmp_path / "ada/one/A/loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "ada/one/B").symlink_to("B")
    (tmp_path / "ben").symlink_to(".")
    assert {each.key for each in walk_captures(tmp_path) if each.signer == "ada"} == {"ada/one/A/1.jpg"}


def test_no_captures_are_no_frames(tmp_path: Path) -> None:
    assert list(walk_captures(tmp_path / "never made")) == []


def test_a_name_that_is_no_text_still_has_a_key_that_is(tmp_path: Path) -> None:
    put(tmp_path, "ada/one/A/\udcff.jpg")
    assert next(walk_captures(tmp_path)).key.encode() == rb"ada/one/A/\xff.jpg"


@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))
def test_a_name_tells_when_its_frame_was_taken(at: datetime) -> None:
    assert frame(frame_timestamp(at) + ".jpg").captured_at == at.replace(microsecond=at.microsecond // 1000 * 1000)


def test_names_are_in_utc_whatever_the_clock_shows() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678_000, timezone(timedelta(hours=9)))
    assert frame_timestamp(at) == "20260101T180405678Z"


@pytest.mark.parametrize("name", ["1.jpg", "20260102T030405.jpg", "20261302T030405678Z.jpg", "clip-000001.jpg", ".jpg"])
def test_other_names_tell_nothing(name: str) -> None:
    assert frame(name).captured_at is None


def test_session_comes_back_as_saved(tmp_path: Path) -> None:
    info = SessionInfo(signer="ada", session="ein Tag", camera="camera 0", licence="CC-BY-4.0", consent="„ja“\n")
    info.save(tmp_path)
    assert SessionInfo.load(tmp_path / "ada" / "ein Tag" / "session.json") == info


def test_a_session_without_a_file_is_known_by_its_folders(tmp_path: Path) -> None:
    info = SessionInfo.load(tmp_path / "ada" / "one" / "session.json")
    assert info == SessionInfo(signer="ada", session="one", camera="unknown")


def test_consent_stated_once_holds_for_the_next_letter(tmp_path: Path) -> None:
    SessionInfo(signer="ada", session="one", camera="0", licence="CC0", consent="for research").save(tmp_path)
    SessionInfo(signer="ada", session="one", camera="0").save(tmp_path)
    SessionInfo(signer="ada", session="one", camera="0", licence="CC-BY-4.0").save(tmp_path)
    now = SessionInfo.load(tmp_path / "ada" / "one" / "session.json")
    assert (now.licence, now.consent) == ("CC-BY-4.0", "for research")


def test_another_camera_is_another_session(tmp_path: Path) -> None:
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
def test_a_damaged_session_file_is_named_with_the_remedy(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "ada" / "one" / "session.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    with pytest.raises(AslkitError) as caught:
        SessionInfo.load(path)
    assert str(path) in caught.value.message
    assert "Mend it, or delete it" in caught.value.message


def test_unknown_keys_of_a_later_version_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "ada" / "one" / "session.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"signer": "somebody else", "camera": "c", "lens": "wide"}))
    assert SessionInfo.load(path) == SessionInfo(signer="ada", session="one", camera="c")
