"""Embedding of a hand: what MediaPipe's landmark model knows about its pixels before it computes the landmarks.

The last layer of the landmark model computes the landmarks from 1,152 values, the mean of its last feature maps. They
also describe what landmarks cannot express, such as which finger of a fist covers the thumb (ADR 13). The model is that
of the mediapipe package without its last layer, so nothing is downloaded.
"""

import threading
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import AslkitError
from aslkit.core.native_libraries import suppress_native_log
from aslkit.vision.hand_landmarker import hide_tensorflow
from aslkit.vision.hand_region import Frame, Region

SIDE: Final = 224
"""Width and height of the landmark model's input, in pixels."""

SIZE: Final = 1152
"""Number of values of an embedding."""

EMBEDDING_VALUES: Final = SIZE + 2
"""Number of values that `embedding_features` computes."""

LANDMARK_MODEL: Final = "modules/hand_landmark/hand_landmark_full.tflite"
"""Path of the landmark model in the mediapipe package."""

_MAX_STEP: Final = 2.0
"""Pixels of the frame per pixel of the region above which the frame is averaged first: sampling alone would skip
pixels."""

_local = threading.local()


def embedding_features(frame: Frame, region: Region, *, mirror: bool) -> npt.NDArray[np.float32]:
    """Compute the embedding of a hand, and the rotation of the hand that cutting it out removes.

    Args:
        frame: BGR, uint8 (height, width, 3).
        region: around the hand, as returned by `region_around`.
        mirror: mirror the hand.

    Returns:
        float32 (EMBEDDING_VALUES,): SIZE values, and sine and cosine of the rotation, by which letters such as G and Q
        differ.
    """
    rotation = -region.rotation if mirror else region.rotation
    direction = np.array([np.sin(rotation), np.cos(rotation)], np.float32)
    return np.concatenate([embed_hand(cut_region(frame, region, mirror=mirror)), direction])


def cut_region(frame: Frame, region: Region, *, mirror: bool) -> Frame:
    """Cut out the region of a hand, and rotate it so that the fingers point up.

    Args:
        frame: BGR, uint8 (height, width, 3). Its border is repeated outside.
        region: square to cut out.
        mirror: mirror the result.

    Returns:
        BGR, uint8 (SIDE, SIDE, 3).
    """
    import cv2

    step = region.side / SIDE
    across, down = step * np.cos(region.rotation), step * np.sin(region.rotation)
    axes = np.array([[across, -down], [down, across]])
    if mirror:
        axes[:, 0] *= -1
    # The middles of the outer pixels are half a pixel from the border.
    corner = np.array([region.x, region.y]) - axes @ np.full(2, (SIDE - 1) / 2)
    height, width = frame.shape[:2]
    scale = np.ones(2)
    if step > _MAX_STEP:
        # At least one pixel is left, however far landmarks of a damaged file are outside of the frame.
        size = max(1, round(width * _MAX_STEP / step)), max(1, round(height * _MAX_STEP / step))
        frame = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
        scale = np.array(size) / (width, height)
    place = np.column_stack([axes * scale[:, None], corner * scale - 0.5])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(frame, place, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


def embed_hand(aligned: Frame) -> npt.NDArray[np.float32]:
    """Compute the embedding of an aligned hand.

    The model is loaded once per thread, because MediaPipe's tasks are not thread-safe.

    Args:
        aligned: as returned by `cut_region`.

    Returns:
        float32 (SIZE,), 0 and up.

    Raises:
        AslkitError: mediapipe is not installed, or does not contain the landmark model.
    """
    if not hasattr(_local, "embedder"):
        _local.embedder = _load_embedder()
    from mediapipe import Image, ImageFormat

    image = Image(image_format=ImageFormat.SRGB, data=np.ascontiguousarray(aligned[:, :, ::-1]))
    return np.asarray(_local.embedder.embed(image).embeddings[0].embedding, np.float32)


def _load_embedder() -> Any:
    with hide_tensorflow(), suppress_native_log():
        from mediapipe.tasks.python import BaseOptions, vision

        options = BaseOptions(model_asset_buffer=embedding_model())
        return vision.ImageEmbedder.create_from_options(vision.ImageEmbedderOptions(base_options=options))


@cache
def embedding_model() -> bytes:
    """Return a TensorFlow Lite model that maps an aligned hand to its embedding, with metadata for MediaPipe's tasks.

    Raises:
        AslkitError: mediapipe is not installed, or does not contain the landmark model.
    """
    import flatbuffers  # type: ignore[import-untyped]

    with hide_tensorflow():
        from mediapipe.tasks.metadata import schema_py_generated as schema
        from mediapipe.tasks.python.metadata.metadata_writers import metadata_writer

    model = schema.ModelT.InitFromPackedBuf(_landmark_model_path().read_bytes(), 0)
    graph = model.subgraphs[0]
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    last = next(
        index
        for index, operator in enumerate(graph.operators)
        if codes[operator.opcodeIndex] == schema.BuiltinOperator.MEAN
    )
    # The layers after the mean compute landmarks, presence and handedness.
    graph.operators = graph.operators[: last + 1]
    graph.outputs = graph.operators[last].outputs
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    writer = metadata_writer.MetadataWriter.create(bytearray(builder.Output()))
    writer.add_image_input([0.0], [255.0])
    writer.add_feature_output("embedding", "Mean of the last feature maps of MediaPipe's hand landmark model.")
    return bytes(writer.populate()[0])


def _landmark_model_path() -> Path:
    spec = find_spec("mediapipe")  # importing mediapipe would take seconds
    path = Path(spec.origin).parent / LANDMARK_MODEL if spec and spec.origin else None
    if path is None or not path.is_file():
        raise AslkitError("MediaPipe's hand models are missing. Run `aslkit doctor` to find out how to install them.")
    return path
