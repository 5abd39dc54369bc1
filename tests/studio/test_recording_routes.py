"""Requests and responses of the part Record, with a fake `FrameAnalyzer`."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aslkit.capture.quality.gate import REASON_MESSAGES
from aslkit.capture.session.recording import Recording
from aslkit.capture.web.controller import MAX_CAMERAS, RecordingController, UploadedFrame
from aslkit.core.letters import ALPHABET
from aslkit.formats.frame_index import FrameIndex
from aslkit.formats.signers import load_signers
from aslkit.studio.studio import Studio
from aslkit.vision.images import decode_image, read_header, read_image_file
from tests.studio.clients import JPEG, TestClient, create_client, join

SendFrame = Callable[..., Any]


def files_on_disk(recording: Recording) -> list[str]:
    """Return the stored images as LETTER/NAME."""
    recording.flush()
    folder = recording.session.folder
    return sorted(f"{path.parent.name}/{path.name}" for path in folder.glob("[A-Z]/*.jpg"))


def indexed_files(recording: Recording) -> list[str]:
    """Return the files listed in frames.jsonl."""
    recording.flush()
    return sorted(FrameIndex.load(recording.session.folder).entries)


def test_state_of_new_recording(page: TestClient) -> None:
    state = page.get("/api/recording").json()
    assert state["letters"] == ["A", "B", "C"]
    assert state["letter"] == "A"
    assert state["counts"] == dict.fromkeys(ALPHABET, 0)
    assert state["reason_messages"] == REASON_MESSAGES
    assert state["signer"] == "ada"
    assert state["recent"] == []


def test_good_frame_is_stored_unmirrored(send_frame: SendFrame, recording: Recording, jpeg: bytes) -> None:
    response = send_frame()
    assert response["reasons"] == []
    assert response["count"] == 1
    assert len(response["landmarks"]) == 21
    assert files_on_disk(recording) == indexed_files(recording) == [response["stored"]]
    stored = decode_image(read_image_file(recording.session.folder / response["stored"]))
    assert abs(stored.astype(float) - decode_image(jpeg)).mean() < 2  # re-encoded, but not mirrored


def test_frame_without_keep_is_only_judged(send_frame: SendFrame, recording: Recording) -> None:
    response = send_frame(keep=0)
    assert (response["kept"], response["stored"], response["reasons"]) == (False, None, [])
    assert files_on_disk(recording) == []


def test_rejection_is_explained_by_message(
    send_frame: SendFrame, changed_metrics: dict[str, Any], recording: Recording
) -> None:
    changed_metrics |= {"hands": 0, "hand": None}
    response = send_frame()
    assert response["messages"] == [REASON_MESSAGES["no-hand"]]
    assert (response["landmarks"], response["box"], response["stored"]) == (None, None, None)
    assert recording.rejected["no-hand"] == 1


def test_kept_frames_respect_interval(send_frame: SendFrame) -> None:
    kept = [send_frame(taken_s=time)["kept"] for time in (10.0, 10.05, 10.099, 10.1, 10.15, 10.21)]
    assert kept == [True, False, False, True, False, True]


def test_page_with_restarted_clock_can_continue(send_frame: SendFrame) -> None:
    assert [send_frame(taken_s=time)["kept"] for time in (1000.0, 0.5)] == [True, True]


def test_frame_of_previous_letter_is_not_stored(send_frame: SendFrame, page: TestClient, recording: Recording) -> None:
    page.post("/api/recording/letter", json={"letter": "B"})
    assert send_frame(revision=0)["kept"] is False  # taken before the page knew about B
    assert send_frame(revision=1)["stored"].startswith("B/")
    assert recording.counts == {"B": 1}


def test_undo_removes_last_burst(send_frame: SendFrame, page: TestClient, recording: Recording) -> None:
    first = send_frame(burst=1)["stored"]
    for _ in range(3):
        send_frame(burst=2)
    state = page.post("/api/recording/undo", json={}).json()
    assert (state["removed"], state["counts"]["A"], state["recent"]) == (3, 1, [first])
    assert page.post("/api/recording/undo", json={}).json()["removed"] == 1
    assert page.post("/api/recording/undo", json={}).json()["removed"] == 0
    assert files_on_disk(recording) == indexed_files(recording) == []


def test_frame_from_before_undo_is_not_stored(send_frame: SendFrame, page: TestClient) -> None:
    send_frame()
    assert page.post("/api/recording/undo", json={}).json()["revision"] == 1
    assert send_frame(revision=0)["kept"] is False
    assert send_frame(revision=1)["kept"] is True


def test_count_option_counts_frames_of_this_recording(open_studio: Any, jpeg: bytes) -> None:
    with open_studio(count=2, interval_s=0) as studio, create_client(studio) as client:
        state = join(client)
        studio.recording.controller.recording.counts["A"] = 700
        assert (state["goals"]["A"], state["counts"]["A"], state["complete"]) == (2, 0, [])
        responses = [
            studio.recording.controller.process_frame(
                UploadedFrame(data=jpeg, keep=True, revision=0, burst=1, page="", taken_s=time)
            )
            for time in range(3)
        ]
        assert [response["count"] for response in responses] == [1, 2, 2]
        assert [response["complete"] for response in responses] == [False, True, True]
        assert responses[-1]["stored"] is None  # the letter is complete


def test_two_pages_do_not_share_a_burst(send_frame: SendFrame, page: TestClient) -> None:
    send_frame(burst=1)
    join(page)
    send_frame(burst=1)
    assert page.post("/api/recording/undo", json={}).json()["removed"] == 1


def test_delete_one_frame(send_frame: SendFrame, page: TestClient, recording: Recording) -> None:
    first, second = send_frame()["stored"], send_frame()["stored"]
    state = page.delete(f"/api/recording/frames/{first}").json()
    assert state["recent"] == [second]
    assert files_on_disk(recording) == indexed_files(recording) == [second]
    assert page.delete(f"/api/recording/frames/{first}").status_code == 404


def test_thumbnail_size(send_frame: SendFrame, page: TestClient) -> None:
    response = page.get(f"/api/recording/frames/{send_frame()['stored']}")
    assert response.headers["content-type"] == "image/jpeg"
    header = read_header(response.content)
    assert (header.width, header.height) == (240, 180)


def test_thumbnail_of_deleted_file_is_not_found(send_frame: SendFrame, page: TestClient, recording: Recording) -> None:
    stored = send_frame()["stored"]
    recording.flush()
    (recording.session.folder / stored).unlink()
    response = page.get(f"/api/recording/frames/{stored}")
    assert (response.status_code, response.json()["error"].split(";")[0]) == (404, "This frame does not exist")


@pytest.mark.parametrize(("values", "letter"), [({"step": 1}, "B"), ({"step": -1}, "C"), ({"letter": "C"}, "C")])
def test_switch_letter(page: TestClient, values: dict[str, object], letter: str) -> None:
    assert page.post("/api/recording/letter", json=values).json()["letter"] == letter


def test_question_about_other_hand(open_studio: Any, jpeg: bytes) -> None:
    with open_studio(usual_hand="left", interval_s=0) as studio, create_client(studio) as client:
        join(client)
        url = "/api/recording/frames?keep=1&taken_s="
        responses = [client.post(f"{url}{time}", content=jpeg, headers=JPEG).json() for time in range(9)]
        assert responses[-1]["question"] == "right"
        assert responses[-1]["stored"] is None
        assert client.get("/api/recording").json()["question"] == "right"
        assert client.post("/api/recording/answer", json={"confirmed": True}).json()["question"] is None
        assert client.post(f"{url}10", content=jpeg, headers=JPEG).json()["stored"] is not None


def test_new_signer_chooses_a_licence_before_frames_are_stored(open_studio: Any, jpeg: bytes) -> None:
    with open_studio(licence=None, interval_s=0) as studio, create_client(studio) as client:
        choices = [choice["licence"] for choice in join(client)["licence_question"]["choices"]]
        assert choices == ["private", "CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0"]
        url = "/api/recording/frames?keep=1&taken_s="
        assert client.post(f"{url}1", content=jpeg, headers=JPEG).json()["stored"] is None
        for invalid in ("WTFPL", 3, None):
            assert client.post("/api/recording/licence", json={"licence": invalid}).status_code == 422
        state = client.post("/api/recording/licence", json={"licence": "CC-BY-4.0"}).json()
        assert state["licence_question"] is None
        assert load_signers(studio.workspace)["ada"].licence == "CC-BY-4.0"
        assert client.post(f"{url}2", content=jpeg, headers=JPEG).json()["stored"] is not None


def test_page_continues_after_reload(send_frame: SendFrame, page: TestClient) -> None:
    page.post("/api/recording/letter", json={"letter": "B"})
    stored = [send_frame(revision=1)["stored"] for _ in range(3)]
    state = join(page)
    assert state["letter"] == "B"
    assert state["counts"]["B"] == 3
    assert state["recent"] == stored[::-1]


def test_another_window_takes_over_only_if_it_says_so(send_frame: SendFrame, page: TestClient) -> None:
    older = page.headers.pop("X-Page")
    refused = page.post("/api/recording", json={"signer": "ada"})
    assert (refused.status_code, refused.json()["why"]) == (409, "elsewhere")
    join(page, take_over=True)
    assert send_frame()["kept"]
    page.headers["X-Page"] = older
    assert page.post("/api/recording/undo").json()["why"] == "elsewhere"
    assert "another window" in send_frame()["error"]


def test_second_tab_with_a_copied_identifier_replaces_the_first(page: TestClient) -> None:
    copied = page.headers["X-Page"]
    join(page)  # browsers copy the session storage when a tab is duplicated
    assert page.post("/api/recording/undo").status_code == 200
    page.headers["X-Page"] = copied
    assert page.post("/api/recording/undo").status_code == 409


def test_page_can_return_if_the_response_got_lost(page: TestClient) -> None:
    before = page.headers["X-Page"]
    page.post("/api/recording", json={"signer": "ada"})  # such as by a page that is being reloaded
    page.headers["X-Page"] = before
    assert join(page)["page"] != before
    assert page.post("/api/recording/undo").status_code == 200
    page.headers["X-Page"] = before
    assert page.post("/api/recording", json={"signer": "ada"}).status_code == 409


def test_other_person_starts_another_session(send_frame: SendFrame, page: TestClient, studio: Studio) -> None:
    send_frame()
    state = join(page, "ben")
    assert (state["signer"], state["recent"], sum(state["counts"].values())) == ("ben", [], 0)
    assert [result.info.signer for result in studio.recording.results] == ["ada"]
    assert studio.recording.results[0].letters == {"A": 1}


@pytest.mark.parametrize("name", ["", "../ada", "a/b", ".hidden", "x" * 65, "synthetic-ada", "con"])
def test_invalid_names_are_refused(unjoined_page: TestClient, name: str) -> None:
    response = unjoined_page.post("/api/recording", json={"signer": name})
    assert (response.status_code, "error" in response.json()) == (422, True)


def test_frames_deleted_from_the_trash_are_not_put_back(
    send_frame: SendFrame, page: TestClient, recording: Recording
) -> None:
    files = [send_frame(burst=1)["stored"] for _ in range(3)]
    page.post("/api/recording/undo")
    (recording.session.folder / ".trash" / files[1]).unlink()
    assert page.post("/api/recording/put-back").json()["restored"] == 2
    assert files_on_disk(recording) == indexed_files(recording) == [files[0], files[2]]
    assert (recording.stored["A"], recording.undone) == (2, 1)


def test_recording_without_frames_leaves_nothing(page: TestClient, studio: Studio) -> None:
    page.delete("/api/recording")
    assert not (studio.workspace.captures / "ada").exists()


def test_window_is_not_locked_out_by_a_recording_that_could_not_start(page: TestClient, studio: Studio) -> None:
    assert page.post("/api/recording", json={"signer": "../up"}).status_code == 422
    studio.workspace.reviews.write_text("no log\n")
    assert page.post("/api/recording", json={"signer": "ben"}).status_code == 409
    studio.workspace.reviews.unlink()
    assert join(page, "ben")["signer"] == "ben"


def test_restarted_server_asks_page_to_join_again(unjoined_page: TestClient) -> None:
    response = unjoined_page.post("/api/recording/undo", headers={"X-Page": "from-before"})
    assert (response.status_code, response.json()["why"]) == (409, "unknown")


def test_removed_frames_can_be_put_back(send_frame: SendFrame, page: TestClient, recording: Recording) -> None:
    first = send_frame(burst=1)["stored"]
    others = [send_frame(burst=2)["stored"] for _ in range(2)]
    assert page.post("/api/recording/undo").json()["removed"] == 2
    state = page.post("/api/recording/put-back").json()
    assert (state["restored"], state["counts"]["A"]) == (2, 3)
    page.delete(f"/api/recording/frames/{first}")
    assert page.post("/api/recording/put-back").json()["restored"] == 1
    assert page.post("/api/recording/put-back").json()["restored"] == 0
    assert files_on_disk(recording) == indexed_files(recording) == sorted([first, *others])
    assert recording.undone == 0


def test_camera_is_recorded_without_device_id(page: TestClient, controller: RecordingController) -> None:
    settings = {
        "width": 640,
        "height": 480,
        "frameRate": 29.97,
        "deviceId": "secret",
        "extra": [1],
        "aspectRatio": "x" * 999,
    }
    for label in ("HD Webcam", "HD Webcam", "Front\x00\n Camera"):
        page.post("/api/recording/camera", json={"label": label, "settings": settings})
    kept = {"width": 640, "height": 480, "frameRate": 29.97, "aspectRatio": "x" * 120}
    assert controller.cameras == [{"label": "HD Webcam", "settings": kept}, {"label": "Front Camera", "settings": kept}]


def test_list_of_cameras_is_limited(page: TestClient, controller: RecordingController) -> None:
    for number in range(MAX_CAMERAS + 5):
        page.post("/api/recording/camera", json={"label": f"camera {number}"})
    assert len(controller.cameras) == MAX_CAMERAS
    assert controller.cameras[-1]["label"] == f"camera {MAX_CAMERAS + 4}"


def test_finish_returns_summary_and_recording_can_start_again(
    send_frame: SendFrame, page: TestClient, changed_metrics: dict[str, Any]
) -> None:
    send_frame()
    send_frame()
    page.post("/api/recording/undo", json={})
    send_frame(burst=2, revision=1)
    changed_metrics |= {"hands": 0, "hand": None}
    send_frame(revision=1)
    summary = page.delete("/api/recording").json()
    assert (summary["signer"], summary["stored"]) == ("ada", {"A": 1})
    assert summary["rejected"] == {"No hand found": 1}
    assert summary["undone"] == 2
    assert send_frame()["why"] == "unknown"  # the page may join again
    assert join(page)["counts"]["A"] == 1


def test_full_disk_is_reported_and_damages_nothing(
    send_frame: SendFrame,
    page: TestClient,
    recording: Recording,
    controller: RecordingController,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = send_frame()["stored"]
    recording.flush()

    def raise_disk_full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(recording.session, "add", raise_disk_full)
    send_frame()  # the error occurs after the response
    with pytest.raises(OSError, match="No space"):
        recording.flush()
    response = send_frame()
    assert response["error"].startswith(
        "Frames cannot be written to the disk (No space left on device). Frames stored so far are safe."
    )
    assert page.get("/api/recording").json()["failure"] == response["error"]
    assert controller.failure is not None
    assert send_frame(keep=0)["reasons"] == []  # the server still works
    assert page.post("/api/recording/undo", json={}).status_code == 507
    assert page.delete("/api/recording").json()["failure"] == response["error"]
    assert [path.name for path in recording.session.folder.glob("*/*.jpg")] == [Path(stored).name]


def test_letter_images(page: TestClient) -> None:
    for letter in ("A", "Y"):
        header = read_header(page.get(f"/letters/{letter}.png").content)
        assert (header.format, header.width) == ("PNG", 320)


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/", "text/html"), ("/base.css", "text/css"), ("/studio.js", "text/javascript"), ("/icon.svg", "image/svg+xml")],
)
def test_page_files_have_media_types(unjoined_page: TestClient, path: str, media_type: str) -> None:
    response = unjoined_page.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] == media_type


def test_page_loads_nothing_from_other_servers() -> None:
    import aslkit.studio as package

    folder = Path(package.__file__).parent / "page"
    files = [path for path in folder.rglob("*") if path.suffix in (".html", ".css", ".js")]
    assert len(files) > 20
    for path in files:
        text = path.read_text().replace("http://localhost", "")  # only in a text
        assert "http:" not in text, path
        assert "https:" not in text, path
        assert "@import" not in text, path
        assert " style=" not in text, path  # the Content-Security-Policy forbids it
