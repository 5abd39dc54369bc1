"""Curation takes over what the recorder measured, if it agrees with a new measurement."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.record import record
from aslkit.capture.session import measurement_log
from aslkit.capture.terminal import record_in_terminal
from aslkit.core.config import load_settings
from aslkit.core.files import file_hash
from aslkit.core.workspace import Workspace
from aslkit.curate.measure.cache import MeasurementCache
from aslkit.curate.measure.engine import Local
from aslkit.curate.measure.measure import MeasureOptions, file_batches, measure_files
from aslkit.curate.measure.recorded import MIN_SAMPLE, add_recorded_measurements, find_differing
from aslkit.formats.captures import SessionInfo
from aslkit.formats.measurements import MEASURED_SCHEMA, RECORDER_OPTIONS, SESSION_MEASUREMENTS

ENGINE = Local(processes=1)
FRAMES = 12


def record_frames(root: Path, **flags: Any) -> Path:
    """Record FRAMES frames of the synthetic signer, and return the folder of the session."""
    result = record(
        ["B"],
        source="synthetic",
        workspace=Workspace(root=root),
        info=SessionInfo(signer="synthetic-ada", session="one", camera="synthetic"),
        capture=load_settings("capture", CaptureConfig, flags=flags),
        gate=load_settings("gate", GateConfig),
        screen=partial(record_in_terminal, on_message=print),
        count=FRAMES,
    )
    assert result.stored == FRAMES
    assert result.report["notes"] == []
    return result.folder


def list_images(session: Path) -> dict[str, Path]:
    return {file_hash(path): path for path in sorted((session / "B").iterdir())}


def measure_again(files: dict[str, Path], options: MeasureOptions = RECORDER_OPTIONS) -> pa.Table:
    return pa.Table.from_batches([measure_files(batch, options) for batch in file_batches(files, 100)])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_frames(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def session(recorded: Path, tmp_path: Path) -> Path:
    """A copy of the recorded session, as if it came from another computer."""
    return Path(shutil.copytree(recorded, tmp_path / "session"))


@pytest.fixture
def add_recorded(session: Path, tmp_path: Path) -> Callable[..., tuple[MeasurementCache, list[str]]]:
    """Adds the measurements of the session to an empty cache; returns the cache and the messages."""

    def add(options: MeasureOptions = RECORDER_OPTIONS) -> tuple[MeasurementCache, list[str]]:
        cache, messages = MeasurementCache(folder=tmp_path / "cache", options=options), list[str]()
        add_recorded_measurements(
            cache, list_images(session), [session], ENGINE, rng=np.random.default_rng(0), on_message=messages.append
        )
        return cache, messages

    return add


@pytest.mark.parametrize("format", ["jpeg", "png"])
def test_recorder_measures_what_curation_measures(tmp_path: Path, format: str) -> None:
    session = record_frames(tmp_path, format=format)
    (file,) = (session / SESSION_MEASUREMENTS / RECORDER_OPTIONS.folder_name).iterdir()
    measured = measure_again(list_images(session))
    assert None not in measured.column("landmarks").to_pylist()
    assert pq.read_table(file).sort_by("content").equals(measured.sort_by("content"))


def test_only_a_sample_is_measured_again(
    add_recorded: Callable[..., Any], session: Path, measured_files: list[str]
) -> None:
    cache, messages = add_recorded()
    files = list_images(session)
    assert (cache.missing(files), messages, len(measured_files)) == ([], [], MIN_SAMPLE)
    assert cache.get(list(files)).equals(measure_again(files))
    add_recorded()
    assert len(measured_files) == MIN_SAMPLE  # from now on, the cache has them


def test_edited_and_added_images_are_not_in_the_recording(
    add_recorded: Callable[..., Any], session: Path, measured_files: list[str]
) -> None:
    edited, copied = sorted((session / "B").iterdir())[:2]
    edited.write_bytes(copied.read_bytes() + b"\0")
    cache, _ = add_recorded()
    assert cache.missing(list_images(session)) == [file_hash(edited)]


def test_other_options_are_measured(add_recorded: Callable[..., Any], session: Path, measured_files: list[str]) -> None:
    cache, messages = add_recorded(MeasureOptions(min_confidence=0.5, second_try=True))
    assert (len(cache.missing(list_images(session))), messages, measured_files) == (FRAMES, [], [])


def test_disagreement_is_reported_and_nothing_is_taken_over(
    add_recorded: Callable[..., Any], session: Path, measured_files: list[str]
) -> None:
    (path,) = (session / SESSION_MEASUREMENTS / RECORDER_OPTIONS.folder_name).iterdir()
    rows = pq.read_table(path).to_pylist()
    for row in rows:
        row["landmarks"] = [value + 0.01 for value in row["landmarks"]]
    pq.write_table(pa.Table.from_pylist(rows, MEASURED_SCHEMA), path)
    cache, (message,) = add_recorded()
    assert len(cache.missing(list_images(session))) == FRAMES
    assert message.startswith("3 of 3 frames that were measured again differ from what was measured while recording, ")
    assert message.endswith(f".jpg in landmarks. All {FRAMES} are measured again.")


def test_every_session_is_checked(recorded: Path, tmp_path: Path, measured_files: list[str]) -> None:
    """Also a short one among long ones, which may come from another computer."""
    files, sessions = dict[str, Path](), list[Path]()
    for number in range(12):
        session = tmp_path / str(number)
        (session / "B").mkdir(parents=True)
        shutil.copy(sorted((recorded / "B").iterdir())[number], session / "B")
        if number == 0:
            shutil.copytree(recorded / SESSION_MEASUREMENTS, session / SESSION_MEASUREMENTS)
        files |= list_images(session)
        sessions.append(session)
    cache = MeasurementCache(folder=tmp_path / "cache", options=RECORDER_OPTIONS)
    add_recorded_measurements(cache, files, sessions, ENGINE, rng=np.random.default_rng(0), on_message=print)
    assert sorted(measured_files) == sorted(files)


@pytest.mark.parametrize("damage", ["truncated", "too few landmarks"])
def test_damaged_measurements_are_reported(
    add_recorded: Callable[..., Any], session: Path, measured_files: list[str], damage: str
) -> None:
    (path,) = (session / SESSION_MEASUREMENTS / RECORDER_OPTIONS.folder_name).iterdir()
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        rows = [row | {"landmarks": row["landmarks"][:-1]} for row in pq.read_table(path).to_pylist()]
        pq.write_table(pa.Table.from_pylist(rows, MEASURED_SCHEMA), path)
    cache, messages = add_recorded()
    assert len(cache.missing(list_images(session))) == FRAMES
    assert messages == [
        f"{path} is damaged, so the frames of which it has the measurements are measured again.",
    ]
    assert path.exists()


def test_interrupted_recording_keeps_the_files_written_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement_log, "_FRAMES_PER_FILE", 5)
    session = record_frames(tmp_path)
    written = (session / SESSION_MEASUREMENTS / RECORDER_OPTIONS.folder_name).iterdir()
    assert sorted(len(pq.read_table(path)) for path in written) == [2, 5, 5]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({}, None),
        ({"sharpness": 100.01}, None),  # another processor rounds differently
        ({"sharpness": 101.0}, "sharpness"),
        ({"landmarks": [0.5] * 62 + [0.51]}, "landmarks"),
        ({"landmarks": None, "handedness": None}, "handedness"),
        ({"handedness": "left"}, "handedness"),
        ({"phash": 4}, "phash"),
    ],
)
def test_difference(change: dict[str, Any], column: str | None) -> None:
    row = {"content": "x", "sharpness": 100.0, "phash": 3, "handedness": "right", "landmarks": [0.5] * 63}
    one, other = (pa.Table.from_pylist([each], MEASURED_SCHEMA) for each in (row, row | change))
    assert find_differing(one, other) == ({} if column is None else {"x": column})
