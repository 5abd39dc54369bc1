"""Which letters a recording session still needs."""

from dataclasses import replace

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.session.lifecycle import RecordingLifecycle
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo
from aslkit.formats.reviews import record_decisions, undo_last_batch


def test_letters_with_dropped_frames_can_be_recorded_again(
    empty_workspace: Workspace, capture_config: CaptureConfig, gate_config: GateConfig
) -> None:
    def find_incomplete() -> list[str]:
        lifecycle = RecordingLifecycle(
            workspace=empty_workspace,
            info=SessionInfo(signer="ada", session="two", camera="test"),
            capture=replace(capture_config, goal=2),
            gate=gate_config,
            count=None,
            can_ask=False,
        )
        return lifecycle.incomplete_letters("ABE")

    for letter in "AB":
        folder = empty_workspace.captures / "ada" / "one" / letter
        folder.mkdir(parents=True)
        for number in range(2):
            (folder / f"{number}.jpg").touch()
    assert find_incomplete() == ["E"]
    record_decisions(empty_workspace, ["ada/one/A/0.jpg"], "drop")
    assert find_incomplete() == ["E", "A"]
    record_decisions(empty_workspace, ["ada/one/B/0.jpg", "ada/one/B/1.jpg"], "relabel", letter="E")
    assert find_incomplete() == ["B", "A"]
    undo_last_batch(empty_workspace)
    undo_last_batch(empty_workspace)
    assert find_incomplete() == ["E"]
