"""What the page asks and what it is told, with a `Looker` that sees what the test wants."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from aslkit.capture.quality.gate import WORDS
from aslkit.capture.session.recording import Recording
from aslkit.capture.web.app import create_app
from aslkit.capture.web.controller import CAMERAS, PageController, UploadedFrame
from aslkit.core.letters import LETTERS
from aslkit.formats.frame_index import FrameIndex
from aslkit.vision.images import decode_image, read_header, read_image_file
from aslkit.web.access_control import Addresses
from aslkit.web.server import LOOPBACK

Send = Callable[..., Any]


def on_disk(sitting: Recording) -> list[str]:
    """Stored images, by letter and time."""
    sitting.flush()
    folder = sitting.session.folder
    return sorted(f"{path.parent.name}/{path.name}" for path in folder.glob("[A-Z]/*.jpg"))


def listed(sitting: Recording) -> list[str]:
    """What frames.jsonl says is there."""
    sitting.flush()
    return sorted(FrameIndex.load(sitting.session.folder).entries)


def test_the_state_has_all_that_a_page_needs(page: TestClient) -> None:
    state = page.get("/state").json()
    assert state["letters"] == ["A", "B", "C"]
    assert state["letter"] == "A"
    assert state["counts"] == dict.fromkeys(LETTERS, 0)
    assert state["words"] == WORDS
    assert state["signer"] == "ada"
    assert state["recent"] == []


def test_a_good_frame_is_stored_as_it_was_sent(send: Send, sitting: Recording, jpeg: bytes) -> None:
    answer = send()
    assert answer["reasons"] == []
    assert answer["count"] == 1
    assert len(answer["landmarks"]) == 21
    assert on_disk(sitting) == listed(sitting) == [answer["stored"]]
    stored = decode_image(read_image_file(sitting.session.folder / answer["stored"]))
    assert abs(stored.astype(float) - decode_image(jpeg)).mean() < 2  # re-encoded, not mirrored


def test_a_frame_that_is_not_to_be_kept_is_judged_only(send: Send, sitting: Recording) -> None:
    answer = send(keep=0)
    assert (answer["kept"], answer["stored"], answer["reasons"]) == (False, None, [])
    assert on_disk(sitting) == []


def test_the_reason_is_told_in_words(send: Send, seen: dict[str, Any], sitting: Recording) -> None:
    seen |= {"hands": 0, "hand": None}
    answer = send()
    assert answer["words"] == [WORDS["no-hand"]]
    assert (answer["landmarks"], answer["box"], answer["stored"]) == (None, None, None)
    assert sitting.refused["no-hand"] == 1


def test_kept_frames_are_an_interval_apart(send: Send) -> None:
    kept = [send(taken_s=time)["kept"] for time in (10.0, 10.05, 10.099, 10.1, 10.15, 10.21)]
    assert kept == [True, False, False, True, False, True]


def test_a_page_whose_clock_began_anew_may_go_on(send: Send) -> None:
    assert [send(taken_s=time)["kept"] for time in (1000.0, 0.5)] == [True, True]


def test_a_frame_of_the_letter_before_is_not_stored_as_the_next(
    send: Send, page: TestClient, sitting: Recording
) -> None:
    page.post("/letter", json={"letter": "B"})
    assert send(turn=0)["kept"] is False  # taken before the page heard of B
    assert send(turn=1)["stored"].startswith("B/")
    assert sitting.counts == {"B": 1}


def test_undo_takes_away_what_was_recorded_in_one_go(send: Send, page: TestClient, sitting: Recording) -> None:
    first = send(burst=1)["stored"]
    for _ in range(3):
        send(burst=2)
    state = page.post("/undo", json={}).json()
    assert (state["removed"], state["counts"]["A"], state["recent"]) == (3, 1, [first])
    assert page.post("/undo", json={}).json()["removed"] == 1
    assert page.post("/undo", json={}).json()["removed"] == 0
    assert on_disk(sitting) == listed(sitting) == []


def test_a_frame_from_before_an_undo_is_not_stored_after_it(send: Send, page: TestClient) -> None:
    send()
    assert page.post("/undo", json={}).json()["turn"] == 1
    assert send(turn=0)["kept"] is False
    assert send(turn=1)["kept"] is True


def test_where_so_many_are_wanted_now_these_are_counted(opened: Any, look: Any, jpeg: bytes) -> None:
    with opened(count=2, interval_s=0) as sitting:
        sitting.counts["A"] = 700
        desk = PageController(sitting, look)
        assert (desk.state()["goal"], desk.state()["counts"]["A"], desk.state()["complete"]) == (2, 0, [])
        answers = [desk.frame(UploadedFrame(data=jpeg, keep=True, turn=0, burst=1, taken_s=time)) for time in range(3)]
        assert [answer["count"] for answer in answers] == [1, 2, 2]
        assert [answer["complete"] for answer in answers] == [False, True, True]
        assert answers[-1]["stored"] is None  # no more of it


def test_two_pages_that_count_from_one_do_not_share_a_burst(send: Send, page: TestClient) -> None:
    send(burst=1)
    page.headers["X-Page"] = page.post("/join", json={}).json()["page"]
    send(burst=1)
    assert page.post("/undo", json={}).json()["removed"] == 1


def test_one_frame_is_deleted(send: Send, page: TestClient, sitting: Recording) -> None:
    first, second = send()["stored"], send()["stored"]
    state = page.delete(f"/frames/{first}").json()
    assert state["recent"] == [second]
    assert on_disk(sitting) == listed(sitting) == [second]
    assert page.delete(f"/frames/{first}").status_code == 404


def test_a_thumbnail_is_what_lies_on_the_disk(send: Send, page: TestClient) -> None:
    answer = page.get(f"/frames/{send()['stored']}")
    assert answer.headers["content-type"] == "image/jpeg"
    header = read_header(answer.content)
    assert (header.width, header.height) == (240, 180)


def test_a_frame_that_somebody_took_from_the_disk_is_told_of(send: Send, page: TestClient, sitting: Recording) -> None:
    stored = send()["stored"]
    sitting.flush()
    (sitting.session.folder / stored).unlink()
    answer = page.get(f"/frames/{stored}")
    assert (answer.status_code, answer.json()["error"].split(";")[0]) == (404, "There is no such frame")


@pytest.mark.parametrize(("asked", "letter"), [({"step": 1}, "B"), ({"step": -1}, "C"), ({"letter": "C"}, "C")])
def test_going_to_another_letter(page: TestClient, asked: dict[str, object], letter: str) -> None:
    assert page.post("/letter", json=asked).json()["letter"] == letter


def test_the_question_about_the_other_hand(opened: Any, look: Any, jpeg: bytes) -> None:
    with opened(usual_hand="left", interval_s=0) as sitting:
        desk = PageController(sitting, look)
        with TestClient(create_app(desk, Addresses(hosts=LOOPBACK, port=80)), base_url="http://localhost") as client:
            client.headers["Origin"] = "http://localhost"
            client.headers["X-Page"] = client.post("/join", json={}).json()["page"]
            kind = {"Content-Type": "image/jpeg"}
            query = "/frames?keep=1&taken_s="
            answers = [client.post(f"{query}{time}", content=jpeg, headers=kind).json() for time in range(9)]
            assert answers[-1]["question"] == "right"
            assert answers[-1]["stored"] is None
            assert client.get("/state").json()["question"] == "right"
            assert client.post("/answer", json={"is_so": True}).json()["question"] is None
            assert client.post(f"{query}10", content=jpeg, headers=kind).json()["stored"] is not None


def test_a_reload_finds_everything_again(send: Send, page: TestClient) -> None:
    page.post("/letter", json={"letter": "B"})
    stored = [send(turn=1)["stored"] for _ in range(3)]
    state = page.post("/join", json={}).json()
    assert state["letter"] == "B"
    assert state["counts"]["B"] == 3
    assert state["recent"] == stored[::-1]


def test_the_newest_page_wins(send: Send, page: TestClient) -> None:
    older = page.headers["X-Page"]
    newer = page.post("/join", json={}).json()["page"]
    refused = page.post("/undo", json={})
    assert (refused.status_code, refused.json()["why"]) == (409, "elsewhere")
    assert "another window" in send()["error"]
    page.headers["X-Page"] = newer
    assert send()["kept"]
    assert older != newer


def test_a_server_that_began_anew_asks_the_page_to_join_again(stranger: TestClient) -> None:
    answer = stranger.post("/undo", json={}, headers={"X-Page": "from-before"})
    assert (answer.status_code, answer.json()["why"]) == (409, "unknown")


def test_the_camera_is_noted_without_what_identifies_it(page: TestClient, desk: PageController) -> None:
    settings = {
        "width": 640,
        "height": 480,
        "frameRate": 29.97,
        "deviceId": "secret",
        "extra": [1],
        "aspectRatio": "x" * 999,
    }
    for label in ("HD Webcam", "HD Webcam", "Front\x00\n Camera"):
        page.post("/camera", json={"label": label, "settings": settings})
    kept = {"width": 640, "height": 480, "frameRate": 29.97, "aspectRatio": "x" * 120}
    assert desk.cameras == [{"label": "HD Webcam", "settings": kept}, {"label": "Front Camera", "settings": kept}]


def test_the_list_of_cameras_does_not_grow_for_ever(page: TestClient, desk: PageController) -> None:
    for number in range(CAMERAS + 5):
        page.post("/camera", json={"label": f"camera {number}"})
    assert len(desk.cameras) == CAMERAS
    assert desk.cameras[-1]["label"] == f"camera {CAMERAS + 4}"


def test_finish_tells_the_balance_and_ends_all(send: Send, page: TestClient, seen: dict[str, Any]) -> None:
    send()
    send()
    page.post("/undo", json={})
    send(burst=2, turn=1)
    seen |= {"hands": 0, "hand": None}
    send(turn=1)
    balance = page.post("/finish", json={}).json()
    assert balance["stored"] == {"A": 1}
    assert balance["refused"] == {"No hand is seen": 1}
    assert balance["undone"] == 2
    assert "finished" in send()["error"]
    assert page.post("/join", json={}).status_code == 410


def test_finish_lets_the_server_end(desk: PageController) -> None:
    ended = []
    served = create_app(desk, Addresses(hosts=LOOPBACK, port=80), on_finish=lambda: ended.append(True))
    with TestClient(served, base_url="http://localhost", headers={"Origin": "http://localhost"}) as client:
        joined = client.post("/join", json={}).json()["page"]
        client.post("/finish", json={}, headers={"X-Page": joined})
    assert ended == [True]


def test_a_full_disk_is_told_and_damages_nothing(
    send: Send, page: TestClient, sitting: Recording, desk: PageController, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = send()["stored"]
    sitting.flush()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sitting.session, "add", full)
    send()  # the disk is found full after the answer
    with pytest.raises(OSError, match="No space"):
        sitting.flush()
    answer = send()
    assert answer["error"].startswith(
        "The disk takes no more frames (No space left on device). What was stored is safe."
    )
    assert page.get("/state").json()["failure"] == answer["error"]
    assert desk.failure is not None
    assert send(keep=0)["reasons"] == []  # the server lives on
    assert page.post("/undo", json={}).status_code == 507
    assert page.post("/finish", json={}).json()["failure"] == answer["error"]
    assert [path.name for path in sitting.session.folder.glob("*/*.jpg")] == [Path(stored).name]


def test_each_letter_has_its_picture(page: TestClient) -> None:
    for letter in ("A", "Y"):
        header = read_header(page.get(f"/letters/{letter}.png").content)
        assert (header.format, header.width) == ("PNG", 320)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript"), ("/icon.svg", "image/svg+xml")],
)
def test_the_page_comes_with_its_parts(stranger: TestClient, path: str, kind: str) -> None:
    answer = stranger.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == kind


def test_the_page_takes_nothing_from_elsewhere() -> None:
    import aslkit.capture.web as web

    folder = Path(web.__file__).parent
    for path in [*folder.glob("*.html"), *folder.glob("*.css"), *folder.glob("*.js")]:
        text = path.read_text().replace("http://localhost", "")  # in words only
        assert "http:" not in text, path
        assert "https:" not in text, path
        assert "@import" not in text, path
        assert "style=" not in text, path
