"""What is measured while recording is stored in the session's folder."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from aslkit.capture.session.recording import Recording
from aslkit.core.files import file_hash
from aslkit.formats.measurements import SESSION_MEASUREMENTS


def measured_contents(recording: Recording) -> list[str]:
    files = sorted((recording.session.folder / SESSION_MEASUREMENTS).rglob("*.parquet"))
    return [content for path in files for content in pq.read_table(path).column("content").to_pylist()]


def image_hash(recording: Recording, file: str) -> str:
    return file_hash(Path(recording.session.folder / file))


def test_frame_that_needed_earlier_frames_is_left_to_curation(open_recording: Any, process_frame: Any) -> None:
    with open_recording() as recording:
        process_frame(recording, 1)
        process_frame(recording, 2, independent=False)
    assert len(recording.session.entries) == 2
    assert measured_contents(recording) == [image_hash(recording, "A/1.jpg")]


def test_later_recordings_in_the_session_add_files(open_recording: Any, process_frame: Any) -> None:
    for number in (1, 2):
        with open_recording() as recording:
            process_frame(recording, number)
    assert sorted(measured_contents(recording)) == sorted(image_hash(recording, f"A/{number}.jpg") for number in (1, 2))
