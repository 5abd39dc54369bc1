"""From a frame, and the hand found in it, to what a model sees. Capture, training, live and exports all come here.

The choices are a `PreprocessConfig`, a small JSON saved inside each model's folder: a model is never fed by other rules than
those it was trained with.
"""

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import AslkitError
from aslkit.core.files import write_text
from aslkit.core.letters import LETTERS
from aslkit.vision import hand_landmarker as hands
from aslkit.vision.crop import MIN_SPAN, crop_square
from aslkit.vision.images import Frame

VERSION: Final = 1
CONTRACT_FILE: Final = "preprocess.json"
MODEL_FILE: Final = "model.keras"
NETWORK_FILE: Final = "model.json"
FeatureKind = Literal["landmarks", "pixels"]
Array = npt.NDArray[np.float32]

CROP_MARGIN: Final = 0.25
"""The crop is the hand's box, made square, with this share of its side added on each side."""

_MOST_SIDE: Final = 1024
_MOST_LETTERS: Final = 1000

_DARK_AND_BRIGHT: Final = (2, 98)
"""Percentiles of the hand's grey values that become black and white."""

FINGER: Final = 0.32
"""Thickness of a finger with some room around it, in lengths of the palm (wrist to middle knuckle)."""

_KEY_JOINTS: Final = (0, 2, 3, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20)
"""Joints between which distances are taken: those that tell where fingers are, without the near-fixed ones."""

_FROM, _TO = np.triu_indices(len(_KEY_JOINTS), k=1)
_PAIRS: Final = (np.array(_KEY_JOINTS)[_FROM], np.array(_KEY_JOINTS)[_TO])


@dataclass(frozen=True, kw_only=True)
class PreprocessConfig:
    """How a model's input is made.

    Attributes:
        kind: "landmarks" or "pixels".
        mirror_left: left hands are mirrored, so that the model knows right hands only.
        size: side of a pixel feature, pixels; 0 for landmarks.
        stretch: a pixel feature is stretched to the whole range 0–1.
        cut_out: what lies outside of the hand in a pixel feature is black: no room, no sleeve, no face is learned.
        letters: what the model's outputs stand for, in order.
        temperature: by which the logarithms of the model's probabilities are divided, so that it is as sure as it is
            right; 1 where it was never calibrated.
        threshold: of the likeliest letter's tempered probability, below which there is no letter; 0 refuses nothing.
        version: of these rules; a model of another version is refused.
    """

    kind: FeatureKind
    mirror_left: bool = True
    size: int = 0
    stretch: bool = False
    cut_out: bool = False
    letters: tuple[str, ...] = LETTERS
    temperature: float = 1.0
    threshold: float = 0.0
    version: int = VERSION

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one model input: (size, size, 1) for pixels, (n,) for landmarks."""
        return (
            (self.size, self.size, 1) if self.kind == "pixels" else (landmark_features(np.zeros((1, 21, 3))).shape[1],)
        )

    def check(self) -> None:
        """Raise ValueError where a value is of no use; whoever wrote the file may have meant ill."""
        rules = {
            "kind": self.kind in get_args(FeatureKind),
            "size": type(self.size) is int
            and (0 < self.size <= _MOST_SIDE if self.kind == "pixels" else self.size == 0),
            "letters": 0 < len(self.letters) <= _MOST_LETTERS and all(isinstance(each, str) for each in self.letters),
            "temperature": type(self.temperature) in (int, float) and 0 < self.temperature < math.inf,
            "threshold": type(self.threshold) in (int, float) and 0 <= self.threshold <= 1,
        } | {name: isinstance(getattr(self, name), bool) for name in ("mirror_left", "stretch", "cut_out")}
        if wrong := [name for name, right in rules.items() if not right]:
            raise ValueError(f"its {wrong[0]} is {getattr(self, wrong[0])!r:.60}")

    def save(self, path: Path) -> None:
        """Write the contract as JSON."""
        write_text(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> "PreprocessConfig":
        """Read a contract that `save` wrote.

        Raises:
            AslkitError: missing, damaged, or of another version.
        """
        try:
            values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if values["version"] != VERSION:
                raise AslkitError(
                    f"{path} is of version {values['version']}; this aslkit reads {VERSION}. Train again."
                )
            known = {field.name for field in fields(cls)}
            found = cls(
                **{key: value for key, value in values.items() if key in known} | {"letters": tuple(values["letters"])}
            )
            found.check()
            return found
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AslkitError(
                f"{path} is missing or damaged: {error}. Train again, or copy the whole run folder."
            ) from error


def apply_temperature(probabilities: Array, temperature: float) -> Array:
    """Divide the logarithms of probabilities, float32 (…, n), by a temperature, and let them sum to one again."""
    logs = np.log(np.maximum(probabilities, np.float32(1e-12))) / np.float32(temperature)
    shares = np.exp(logs - logs.max(axis=-1, keepdims=True))
    result: Array = (shares / shares.sum(axis=-1, keepdims=True)).astype(np.float32)
    return result


def model_input(frame: Frame, hand: hands.Hand, contract: PreprocessConfig) -> Array:
    """Return what the model sees of a hand in an unmirrored BGR frame: float32 of `contract.shape`."""
    height, width = frame.shape[:2]
    if contract.kind == "landmarks":
        points = canonical_points(
            hand.landmarks[None], widths=np.array([width]), heights=np.array([height]),
            left=np.array([hand.handedness == "left"]), mirror_left=contract.mirror_left,
        )  # fmt: skip
        features: Array = landmark_features(points)[0]
        return features
    return pixel_features(
        frame, hand.box, left=hand.handedness == "left", contract=contract, landmarks=hand.landmarks
    )  # fmt: skip


def canonical_points(
    landmarks: Array,
    *,
    widths: npt.NDArray[Any],
    heights: npt.NDArray[Any],
    left: npt.NDArray[np.bool_],
    mirror_left: bool,
) -> Array:
    """Turn landmarks as shares of a frame into hands in one measure.

    Args:
        landmarks: float32 (n, 21, 3), as `Hand.landmarks`.
        widths: (n,), of the frames, pixels.
        heights: (n,), likewise.
        left: bool (n,), which hands are left.
        mirror_left: mirror those.

    Returns:
        float32 (n, 21, 3): the wrist at the origin, the palm's size (mean distance from the wrist to the four
        knuckles, plus the breadth between the outer two) one unit.
    """
    width = widths.astype(np.float32)[:, None]
    points = landmarks.astype(np.float32, copy=True)
    points[..., 0] *= width
    points[..., 1] *= heights.astype(np.float32)[:, None]
    points[..., 2] *= width
    if mirror_left:
        points[left, :, 0] *= -1
    return _one_palm_high(points - points[:, :1])


def landmark_features(points: npt.NDArray[Any]) -> Array:
    """Describe hands by place, direction, bend and distance.

    Args:
        points: (n, 21, 3) as `canonical_points` gives them, or turned and bent in 3-D since.

    Returns:
        float32 (n, 262): 63 coordinates in palm sizes, 60 directions of bones (unit vectors), 19 cosines
        (15 between the bones along each finger, 4 between neighbouring fingers' tips), 120 distances between the
        key joints, in palm sizes.
    """
    scaled = _one_palm_high(points.astype(np.float32) - points[:, :1].astype(np.float32))
    bones = scaled[:, 1:] - scaled[:, hands.PARENT]
    bones = bones / (_length(bones)[..., None] + np.float32(1e-6))
    along = [np.sum(bones[:, i] * bones[:, i + 1], axis=-1) for i in range(19) if i % 4 != 3]
    across = [np.sum(bones[:, i] * bones[:, i + 4], axis=-1) for i in (3, 7, 11, 15)]
    distances = _length(scaled[:, _PAIRS[0]] - scaled[:, _PAIRS[1]])
    count = len(points)
    parts = [scaled.reshape(count, -1), bones.reshape(count, -1), np.stack([*along, *across], axis=1), distances]
    return np.asarray(np.concatenate(parts, axis=1), np.float32)


def pixel_features(
    frame: Frame, box: Array, *, left: bool, contract: PreprocessConfig, landmarks: Array | None = None
) -> Array:
    """Return the hand's square crop, grey.

    Args:
        frame: BGR, uint8 (height, width, 3).
        box: float32 (4,), left, top, right, bottom as shares of the frame; may reach outside of it.
        left: whether it is a left hand.
        contract: of kind "pixels".
        landmarks: float32 (21, 3), of the hand, which a contract that cuts it out needs.

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
            raise AslkitError("To cut a hand out of its picture its landmarks are needed.")
        scale = contract.size / span
        shift = [contract.size / 2 - at * scale for at in middle]
        joints = landmarks[:, :2] * np.array([width, height], np.float32) * scale + np.array(shift)
        inside = _hand_mask(joints, contract.size)
    if contract.mirror_left and left:
        crop, inside = crop[:, ::-1], inside[:, ::-1]
    values = crop.astype(np.float32) / 255
    if contract.cut_out and inside.any():
        low, high = np.percentile(values[inside], _DARK_AND_BRIGHT).astype(np.float32)  # a rim of room is in it
        stretched = np.clip((values - low) / max(high - low, np.float32(1e-3)), 0, 1)
        values = np.where(inside, stretched, np.float32(0))
    elif contract.stretch:
        low, high = values.min(), values.max()
        values = (values - low) / max(high - low, np.float32(1e-3))
    return np.ascontiguousarray(values[..., None], np.float32)


def _hand_mask(joints: npt.NDArray[Any], size: int) -> npt.NDArray[np.bool_]:
    """Where in a crop the hand is: its palm, and each finger as thick as fingers are. Joints (21, 2) in pixels."""
    import cv2

    fine = 4  # cv2 draws on whole pixels, and a finger is two or three of them wide
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


def _one_palm_high(points: Array) -> Array:
    knuckles = points[:, [finger[0] for finger in hands.FINGERS[1:]]]
    height = np.mean(_length(knuckles - points[:, :1]), axis=1)
    breadth = _length(knuckles[:, 0] - knuckles[:, -1])
    size: Array = np.maximum(height + breadth, np.float32(1e-6))
    return points / size[:, None, None]


def _length(vectors: Array) -> Array:
    # Spelled out: np.linalg.norm may add in another order for one hand than for many, and live must equal training.
    result: Array = np.sqrt(vectors[..., 0] ** 2 + vectors[..., 1] ** 2 + vectors[..., 2] ** 2)
    return result
