"""Measure the frames of clips, and build their rows. Landmarks are those that were tracked while recording."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from aslkit.core.letters import LABEL_INDEX
from aslkit.curate.config import CurateConfig
from aslkit.curate.measure.cache import MeasurementCache
from aslkit.curate.measure.engine import Engine
from aslkit.curate.measure.measure import MeasureOptions
from aslkit.datasets import schema
from aslkit.formats.captures import CapturedFrame, SessionInfo
from aslkit.formats.clips import CapturedClip, ClipFrame

_MEASURED_COLUMNS = ("width", "height", "sharpness", "brightness", "contrast", "sha256", "phash")


def list_files(clips: Sequence[CapturedClip]) -> list[Path]:
    """Return the image files of all clips, in order."""
    return [clip.folder / frame.file for clip in clips for frame in clip.frames]


def measure_clips(
    folder: Path,
    clips: Sequence[CapturedClip],
    contents: Sequence[str],
    config: CurateConfig,
    engine: Engine,
    *,
    rebuild: bool,
) -> pa.Table:
    """Return rows of `measure.MEASURED_SCHEMA` for the frames of all clips, in order, without hands.

    Args:
        folder: WORKSPACE/cache/descriptions.
        clips: the clips.
        contents: hashes of the files of `list_files`.
        config: settings of curation.
        engine: measures the images that are not in the cache.
        rebuild: measure all images again.
    """
    options = MeasureOptions(min_confidence=config.min_confidence, second_try=config.second_try, hands=False)
    cache = MeasurementCache(folder=folder, options=options)
    if rebuild:
        cache.clear()
    cache.fill(dict(zip(contents, list_files(clips), strict=True)), engine)
    return cache.get(contents)


def build_clip_table(
    clips: Sequence[CapturedClip], measurements: pa.Table, sessions: Mapping[tuple[str, str], SessionInfo]
) -> pa.Table:
    """Return the rows of `schema.COLUMNS` of all frames, in order, with `image.path`, but without groups and images.

    Args:
        clips: the clips.
        measurements: result of `measure_clips` for them.
        sessions: by signer and session.
    """
    described = [
        {**_describe_clip(clip, sessions[clip.signer, clip.session]), **_describe_frame(clip, frame)}
        for clip in clips
        for frame in clip.frames
    ]
    measured = measurements.select(_MEASURED_COLUMNS).to_pylist()
    rows = [{**row, **values} for row, values in zip(described, measured, strict=True)]
    return pa.Table.from_pylist(rows, schema.COLUMNS)


def _describe_clip(clip: CapturedClip, info: SessionInfo) -> dict[str, Any]:
    return {
        "label": LABEL_INDEX[clip.letter],
        "signer": clip.signer,
        "session": clip.session,
        "camera": info.camera,
        "licence": info.licence,
        "consent": info.consent,
        "clip": clip.key,
    }


def _describe_frame(clip: CapturedClip, frame: ClipFrame) -> dict[str, Any]:
    place = {"signer": clip.signer, "session": clip.session, "letter": clip.letter}
    started = CapturedFrame(path=clip.folder, **place).captured_at  # the name of a recorded clip is its start
    row: dict[str, Any] = {
        "image": {"bytes": None, "path": f"{clip.key}/{frame.file}"},
        "time_ms": frame.time_ms,
        "captured_at": started and started + timedelta(milliseconds=frame.time_ms),
    }
    if frame.landmarks is None:
        return row
    points = np.array(frame.landmarks, np.float32).reshape(21, 3)[:, :2]
    return row | {
        "landmarks": frame.landmarks,
        "handedness": frame.hand,
        "hand_score": frame.score,
        "hand_box": [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()],
    }
