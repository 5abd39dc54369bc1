"""Compute a model's input from a frame and the hand found in it. Training, live and exports all use this module.

The settings are a `PreprocessConfig`, saved as JSON in the folder of each model, so that a model always gets the input
it was trained with.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from aslkit.core.config import Share
from aslkit.core.errors import AslkitError
from aslkit.core.files import write_text
from aslkit.core.letters import LETTERS
from aslkit.vision import hand_landmarker as hands
from aslkit.vision.crop import MIN_SPAN, crop_square
from aslkit.vision.hand_embedding import EMBEDDING_VALUES, embedding_features
from aslkit.vision.hand_region import region_around
from aslkit.vision.images import Frame
from aslkit.vision.motion.contract import MotionContract

VERSION: Final = 1
CONTRACT_FILE: Final = "preprocess.json"
MODEL_FILE: Final = "model.keras"
NETWORK_FILE: Final = "model.json"
MOTION_FILE: Final = "motion.json"
"""The network that recognises drawn letters, next to NETWORK_FILE."""

FeatureKind = Literal["landmarks", "pixels", "embedding", "both"]
Array = npt.NDArray[np.float32]

CROP_MARGIN: Final = 0.25
"""Margin of the square crop on each side, relative to the longer side of the hand's box."""

_MAX_SIDE: Final = 1024
_MAX_LETTERS: Final = 1000

_STRETCH_PERCENTILES: Final = (2, 98)
"""Percentiles of the hand's gray values that become black and white."""

FINGER: Final = 0.32
"""Thickness of a finger with some margin, in palm lengths (wrist to middle knuckle)."""

_KEY_JOINTS: Final = (0, 2, 3, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20)
"""Joints whose distances are features: those that show the pose of the fingers, without nearly rigid ones."""

LANDMARK_VALUES: Final = 262
"""Number of values that `landmark_features` computes."""

_FROM, _TO = np.triu_indices(len(_KEY_JOINTS), k=1)
_PAIRS: Final = (np.array(_KEY_JOINTS)[_FROM], np.array(_KEY_JOINTS)[_TO])


@dataclass(frozen=True, kw_only=True)
class PreprocessConfig:
    """How a model's input is computed, and how its output is interpreted.

    Attributes:
        kind: "landmarks"; "embedding" of the hand's pixels; "both", landmarks first; or "pixels", a crop of the hand.
        mirror_left: mirror left hands, so that the model only sees right hands.
        size: side of a pixel feature in pixels; 0 for the other kinds.
        stretch: stretch a pixel feature to the range 0–1.
        cut_out: black out everything outside the hand in a pixel feature, so that the room is not learned.
        letters: letters of the model's outputs, in order.
        temperature: divisor of the log probabilities (calibration); 1 if the model is not calibrated.
        threshold: calibrated probability below which a prediction is rejected; 0 rejects none.
        motion: contract of the network that recognises drawn letters, J and Z; None if the model has none.
        version: of these rules; a model of another version is rejected.
    """

    kind: FeatureKind
    mirror_left: bool = True
    size: Annotated[int, Meta(ge=0, le=_MAX_SIDE)] = 0
    stretch: bool = False
    cut_out: bool = False
    letters: Annotated[tuple[str, ...], Meta(min_length=1, max_length=_MAX_LETTERS)] = LETTERS
    temperature: Annotated[float, Meta(gt=0)] = 1.0
    threshold: Share = 0.0
    motion: MotionContract | None = None
    version: int = VERSION

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one model input: (size, size, 1) for pixels, otherwise (n,)."""
        if self.kind == "pixels":
            return (self.size, self.size, 1)
        return (LANDMARK_VALUES * self.has_landmarks + EMBEDDING_VALUES * self.has_embedding,)

    @property
    def has_landmarks(self) -> bool:
        """Whether landmark features are an input."""
        return self.kind in ("landmarks", "both")

    @property
    def has_embedding(self) -> bool:
        """Whether the embedding of the hand is an input."""
        return self.kind in ("embedding", "both")

    def __post_init__(self) -> None:
        """Raise ValueError if the size does not fit the kind."""
        if (self.size == 0) == (self.kind == "pixels"):
            raise ValueError(f"size is {self.size} for {self.kind}")

    def save(self, path: Path) -> None:
        """Write the settings as JSON."""
        write_text(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> "PreprocessConfig":
        """Read settings that `save` wrote.

        Raises:
            AslkitError: missing, damaged, or of another version.
        """
        try:
            data = path.read_bytes()
            version = msgspec.json.decode(data, type=_Version).version
            if version != VERSION:
                raise AslkitError(f"{path} has version {version}; this version of aslkit reads {VERSION}. Train again.")
            return msgspec.json.decode(data, type=cls)
        except (OSError, ValueError, RecursionError) as error:
            raise AslkitError(
                f"{path} is missing or damaged: {error!s:.120}. Train again, or copy the whole run folder."
            ) from error


class _Version(msgspec.Struct):
    """The version of a file, which decides whether the other keys can be read."""

    version: int


def apply_temperature(probabilities: Array, temperature: float) -> Array:
    """Divide log probabilities, float32 (…, n), by a temperature, and normalise them to sum to 1."""
    # A probability of 0 would become -inf, and -inf - -inf is NaN.
    logs = np.log(np.maximum(probabilities, np.float32(1e-12))) / np.float32(temperature)
    # Subtracting the maximum does not change the result and prevents an overflow.
    shares = np.exp(logs - logs.max(axis=-1, keepdims=True))
    result: Array = (shares / shares.sum(axis=-1, keepdims=True)).astype(np.float32)
    return result


def model_input(frame: Frame, hand: hands.Hand, contract: PreprocessConfig) -> Array:
    """Return the model input for a hand in an unmirrored BGR frame, float32 of `contract.shape`."""
    left = hand.handedness == "left"
    if contract.kind == "pixels":
        return pixel_features(frame, hand.box, left=left, contract=contract, landmarks=hand.landmarks)
    height, width = frame.shape[:2]
    parts = []
    if contract.has_landmarks:
        points = canonical_points(
            hand.landmarks[None], widths=np.array([width]), heights=np.array([height]), left=np.array([left]),
            mirror_left=contract.mirror_left,
        )  # fmt: skip
        parts.append(landmark_features(points)[0])
    if contract.has_embedding:
        region = region_around(hand.landmarks, frame)
        parts.append(embedding_features(frame, region, mirror=contract.mirror_left and left))
    return np.concatenate(parts)


def canonical_points(
    landmarks: Array,
    *,
    widths: npt.NDArray[Any],
    heights: npt.NDArray[Any],
    left: npt.NDArray[np.bool_],
    mirror_left: bool,
) -> Array:
    """Normalise landmarks: wrist at the origin, palm of size 1.

    Args:
        landmarks: float32 (n, 21, 3), as `Hand.landmarks`.
        widths: of the frames in pixels, (n,).
        heights: of the frames in pixels, (n,).
        left: bool (n,), which hands are left.
        mirror_left: mirror left hands.

    Returns:
        float32 (n, 21, 3). The size of the palm is the mean distance from the wrist to the four knuckles plus the
        distance between the outer two.
    """
    width = widths.astype(np.float32)[:, None]
    points = landmarks.astype(np.float32, copy=True)
    points[..., 0] *= width
    points[..., 1] *= heights.astype(np.float32)[:, None]
    # MediaPipe gives z in units of the frame's width.
    points[..., 2] *= width
    if mirror_left:
        points[left, :, 0] *= -1
    return _scale_to_palm(points - points[:, :1])


def landmark_features(points: npt.NDArray[Any]) -> Array:
    """Compute the landmark features of hands: coordinates, directions, angles and distances.

    Args:
        points: (n, 21, 3) of `canonical_points`, optionally augmented in 3-D.

    Returns:
        float32 (n, 262): 63 coordinates in palm sizes, 60 directions of bones (unit vectors), 19 cosines
        (15 between the bones along each finger, 4 between neighbouring fingers' tips), 120 distances between the
        key joints, in palm sizes.
    """
    # (3, 21, n): one coordinate of one joint of all hands is contiguous, which takes a third of the time of (n, 21, 3).
    columns = np.ascontiguousarray(points.transpose(2, 1, 0), np.float32)
    scaled = columns - columns[:, :1]
    # Again, because augmentation in 3-D changes the size of the palm.
    scaled /= _palm_size(scaled)
    # (3, 20, n), four bones per finger from the wrist to the tip.
    bones = scaled[:, 1:] - scaled[:, hands.PARENT]
    bones /= _length(bones) + np.float32(1e-6)
    # Every fourth bone ends at a fingertip; the bone after it belongs to the next finger.
    along, across = np.array([i for i in range(19) if i % 4 != 3]), np.array([3, 7, 11, 15])
    features = np.concatenate(
        [
            scaled.transpose(1, 0, 2).reshape(63, -1),
            bones.transpose(1, 0, 2).reshape(60, -1),
            _dot(bones[:, along], bones[:, along + 1]),
            _dot(bones[:, across], bones[:, across + 4]),
            _length(scaled[:, _PAIRS[0]] - scaled[:, _PAIRS[1]]),
        ]
    )
    return np.ascontiguousarray(features.T)


def pixel_features(
    frame: Frame, box: Array, *, left: bool, contract: PreprocessConfig, landmarks: Array | None = None
) -> Array:
    """Return the square gray crop of the hand.

    Args:
        frame: BGR, uint8 (height, width, 3).
        box: float32 (4,), left, top, right, bottom relative to the frame; may extend beyond it.
        left: whether it is a left hand.
        contract: settings of kind "pixels".
        landmarks: of the hand, float32 (21, 3); required for `cut_out`.

    Returns:
        float32 (size, size, 1), 0–1.
    """
    import cv2

    height, width = frame.shape[:2]
    x0, y0, x1, y1 = (box * np.array([width, height, width, height], np.float32)).tolist()
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    span = max(x1 - x0, y1 - y0, MIN_SPAN) * (1 + 2 * CROP_MARGIN)
    crop = crop_square(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), middle=middle, span=span, side=contract.size)
    inside = np.ones(crop.shape, bool)
    if contract.cut_out:
        if landmarks is None:
            raise AslkitError("Cutting out a hand requires its landmarks.")
        scale = contract.size / span
        shift = [contract.size / 2 - at * scale for at in middle]
        joints = landmarks[:, :2] * np.array([width, height], np.float32) * scale + np.array(shift)
        inside = _hand_mask(joints, contract.size)
    # Mirrored after cropping: the coordinates above refer to the frame as it is.
    if contract.mirror_left and left:
        crop, inside = crop[:, ::-1], inside[:, ::-1]
    values = crop.astype(np.float32) / 255
    if contract.cut_out and inside.any():
        low, high = np.percentile(values[inside], _STRETCH_PERCENTILES).astype(
            np.float32
        )  # the mask includes a rim of the background
        stretched = np.clip((values - low) / max(high - low, np.float32(1e-3)), 0, 1)
        values = np.where(inside, stretched, np.float32(0))
    elif contract.stretch:
        low, high = values.min(), values.max()
        values = (values - low) / max(high - low, np.float32(1e-3))
    return np.ascontiguousarray(values[..., None], np.float32)


def _hand_mask(joints: npt.NDArray[Any], size: int) -> npt.NDArray[np.bool_]:
    """Return a mask of palm and fingers in a crop, bool (size, size), for joints (21, 2) in pixels."""
    import cv2

    fine = 4  # cv2 draws on whole pixels, and a finger is only two or three pixels wide
    points = np.round(joints * fine).astype(np.int32)
    palm = float(np.linalg.norm(joints[hands.MIDDLE[0]] - joints[hands.WRIST])) * fine
    mask = np.zeros((size * fine, size * fine), np.uint8)
    around = points[[hands.WRIST, hands.THUMB[0], *(finger[0] for finger in hands.FINGERS[1:])]]
    cv2.fillConvexPoly(mask, cv2.convexHull(around), 255)
    thick = max(1, round(FINGER * palm))
    for finger in hands.FINGERS:
        cv2.polylines(mask, [points[[hands.WRIST, *finger]]], isClosed=False, color=255, thickness=thick)
    small = cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA)
    result: npt.NDArray[np.bool_] = small > 127
    return result


def _scale_to_palm(points: Array) -> Array:
    """Scale hands with the wrist at the origin, float32 (n, 21, 3), to a palm of size 1."""
    size: Array = _palm_size(points.transpose(2, 1, 0))[:, None, None]
    return points / size


def _palm_size(columns: Array) -> Array:
    """Return the size of the palm, float32 (n,), of hands with the wrist at the origin, float32 (3, 21, n)."""
    knuckles = columns[:, [finger[0] for finger in hands.FINGERS[1:]]]
    # Added in a fixed order: NumPy's mean may add in another order for one hand than for many.
    first, second, third, fourth = _length(knuckles - columns[:, :1])
    height = (first + second + third + fourth) / np.float32(4)
    size: Array = np.maximum(height + _length(knuckles[:, 0] - knuckles[:, -1]), np.float32(1e-6))
    return size


def _length(vectors: Array) -> Array:
    """Return the lengths of vectors, (3, …) to (…)."""
    # Not np.linalg.norm: it may sum in another order for one hand than for many, and live must match training exactly.
    result: Array = np.sqrt(vectors[0] ** 2 + vectors[1] ** 2 + vectors[2] ** 2)
    return result


def _dot(first: Array, second: Array) -> Array:
    """Return the scalar products of vectors, (3, …) to (…)."""
    products = first * second
    result: Array = products[0] + products[1] + products[2]
    return result
