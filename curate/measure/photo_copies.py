"""Recognise a modified copy of a photo: rotated, cropped, sheared, mirrored, brightened, blurred or noisy.

Datasets are often published with such augmented copies. ORB features (Rublee et al., "ORB: an efficient alternative to
SIFT or SURF", ICCV 2011) of both images give the affine transform between them (RANSAC). The images are copies if they
correlate after alignment, both as a whole and around the hand: in front of a static background, two moments differ
there. ORB features are not the same in a mirrored image, so an image has features of both.
"""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.vision.images import Frame

_SIDE: Final = 144
"""Longer side in pixels at which images are compared."""

_FEATURES: Final = 200
"""Maximum number of features of an image."""

_PATCH: Final = 25
"""Side in pixels of the patch that describes a feature. ORB's default of 31 leaves a wide border without features."""

_FAST_THRESHOLD: Final = 7
"""Contrast of a feature, gray values. ORB's default of 20 finds few features on skin."""

_MAX_RATIO: Final = 0.8
"""Maximum ratio of the distances of the nearest and the second nearest feature (Lowe, IJCV 2004)."""

_MAX_ERROR: Final = 3.0
"""Maximum distance in pixels of a matched feature from its place after alignment."""

_MIN_MATCHES: Final = 15
"""Minimum number of features that agree with the transform. With 10, four times as many pairs of different people are
accepted."""

_SCALES: Final = (0.45, 2.2)
"""Range of the scale of a plausible transform in every direction."""

_MIN_CORRELATION: Final = 0.95
"""Minimum correlation of the aligned images. Set on 697 photos of 24 people with three random copies each
(`./run bench near_duplicates`)."""

_BLUR: Final = 1.5
"""Standard deviation in pixels of the blur before images are correlated, which removes noise and small shifts."""

_HAND_MARGIN: Final = 0.1
"""Margin around the joints, relative to the longer side of their box."""

_MIN_OVERLAP: Final = 0.5
"""Minimum share of the hand that both images must show."""

_BLACK: Final = 4
"""Gray value up to which a pixel counts as black, with some noise from JPEG."""

_MIN_PIXELS: Final = 200
"""Minimum number of pixels for a correlation."""

_Transform = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LocalFeatures:
    """Features of one image, or of its mirror image.

    Attributes:
        points: float32 (n, 2), pixels of the downscaled image.
        descriptors: uint8 (n, 32), 256 bits each.
    """

    points: npt.NDArray[np.float32]
    descriptors: npt.NDArray[np.uint8]


_NO_FEATURES: Final = LocalFeatures(points=np.zeros((0, 2), np.float32), descriptors=np.zeros((0, 32), np.uint8))


@dataclass(frozen=True, kw_only=True)
class ComparedPhoto:
    """An image, prepared for comparison.

    Attributes:
        gray: uint8 (height, width), the longer side of _SIDE pixels.
        joints: float32 (21, 2), joints of the hand in pixels of `gray`; None without a hand.
        features: of the image.
        mirrored_features: of the mirror image.
    """

    gray: Frame
    joints: npt.NDArray[np.float32] | None
    features: LocalFeatures
    mirrored_features: LocalFeatures

    def mirror(self) -> "ComparedPhoto":
        """Return the mirror image."""
        joints = None
        if self.joints is not None:
            joints = np.stack([self.gray.shape[1] - 1 - self.joints[:, 0], self.joints[:, 1]], axis=1)
        return ComparedPhoto(
            gray=_mirror(self.gray),
            joints=joints,
            features=self.mirrored_features,
            mirrored_features=self.features,
        )


def prepare_photo(gray: Frame, joints: npt.NDArray[Any] | None = None) -> ComparedPhoto:
    """Scale an image and find its features, which takes about 2 ms.

    Args:
        gray: uint8 (height, width).
        joints: (21, 2), joints of the hand in pixels; None or NaN without a hand.
    """
    scale = _SIDE / max(gray.shape)
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = tuple(max(1, round(side * scale)) for side in gray.shape[::-1])
    small = np.asarray(cv2.resize(gray, size, interpolation=kind), np.uint8)
    has_hand = joints is not None and bool(np.isfinite(joints).all())
    return ComparedPhoto(
        gray=small,
        joints=np.asarray(joints * scale, np.float32) if joints is not None and has_hand else None,
        features=_find_features(small),
        mirrored_features=_find_features(_mirror(small)),
    )


def is_copy(first: ComparedPhoto, second: ComparedPhoto) -> bool:
    """Return whether both images are copies of one photo, neither of them mirrored; takes about 0.5 ms."""
    transform = _align(first.features, second.features)
    if transform is None:
        return False
    height, width = first.gray.shape
    inverse = cv2.WARP_INVERSE_MAP  # `transform` leads from the first image to the second
    aligned = cv2.warpAffine(second.gray, transform, (width, height), flags=cv2.INTER_LINEAR | inverse)
    inside = np.full_like(second.gray, 255)
    overlap = cv2.warpAffine(inside, transform, (width, height), flags=cv2.INTER_NEAREST | inverse) > 0
    # Rotated and sheared copies usually have black corners.
    drawn = _erode(overlap & (first.gray > _BLACK) & (np.asarray(aligned) > _BLACK))
    one, other = (cv2.GaussianBlur(gray, (0, 0), _BLUR).astype(np.float32) for gray in (first.gray, aligned))
    if _correlate(one, other, drawn) < _MIN_CORRELATION:
        return False
    for joints in (first.joints, _move_joints(second.joints, transform)):
        if joints is not None:
            hand = _hand_mask(joints, overlap)
            if (hand & overlap).sum() < _MIN_OVERLAP * hand.sum():
                return False
            if _correlate(one, other, hand & drawn) < _MIN_CORRELATION:
                return False
    return True


def _mirror(gray: Frame) -> Frame:
    return np.ascontiguousarray(gray[:, ::-1])


def _find_features(gray: Frame) -> LocalFeatures:
    if min(gray.shape) < _PATCH:  # too narrow for a single feature
        return _NO_FEATURES
    detector = cv2.ORB.create(_FEATURES, edgeThreshold=_PATCH * 3 // 5, patchSize=_PATCH, fastThreshold=_FAST_THRESHOLD)
    keypoints, descriptors = detector.detectAndCompute(gray, np.empty(0, np.uint8))
    if not keypoints:
        return _NO_FEATURES
    points = np.array([keypoint.pt for keypoint in keypoints], np.float32)
    return LocalFeatures(points=points, descriptors=np.asarray(descriptors, np.uint8))


def _align(first: LocalFeatures, second: LocalFeatures) -> _Transform | None:
    """Return the affine transform from the first image to the second, (2, 3); None if too few features agree."""
    if min(len(first.points), len(second.points)) < _MIN_MATCHES:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(first.descriptors, second.descriptors, k=2)
    good = [near for near, next_ in pairs if near.distance < _MAX_RATIO * next_.distance]
    if len(good) < _MIN_MATCHES:
        return None
    transform, agree = cv2.estimateAffine2D(
        first.points[[match.queryIdx for match in good]],
        second.points[[match.trainIdx for match in good]],
        method=cv2.RANSAC,
        ransacReprojThreshold=_MAX_ERROR,
        maxIters=500,
    )
    if transform is None or agree.sum() < _MIN_MATCHES:
        return None
    scales = np.linalg.svd(transform[:, :2], compute_uv=False)
    plausible = _SCALES[0] <= scales[-1] and scales[0] <= _SCALES[1]
    return np.asarray(transform, np.float64) if plausible else None


def _erode(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Remove the edge, into which blurring mixes what lies outside."""
    side = 2 * round(2 * _BLUR) + 1
    return np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((side, side), np.uint8)), bool)


def _move_joints(joints: npt.NDArray[np.float32] | None, transform: _Transform) -> npt.NDArray[np.float32] | None:
    """Return the joints of the second image in pixels of the first."""
    if joints is None:
        return None
    back = np.asarray(cv2.invertAffineTransform(transform))
    return np.asarray(joints @ back[:, :2].T + back[:, 2], np.float32)


def _hand_mask(joints: npt.NDArray[np.float32], like: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    low, high = joints.min(axis=0), joints.max(axis=0)
    margin = _HAND_MARGIN * float((high - low).max())
    left, top = np.maximum(low - margin, 0).astype(int)
    right, bottom = np.maximum(high + margin, 0).astype(int)
    mask = np.zeros_like(like)
    mask[top:bottom, left:right] = True
    return mask


def _correlate(first: npt.NDArray[Any], second: npt.NDArray[Any], mask: npt.NDArray[np.bool_]) -> float:
    """Return the correlation of the pixels in the mask, -1 to 1; -1 if there are too few."""
    one, other = first[mask], second[mask]
    if len(one) < _MIN_PIXELS:
        return -1.0
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-6))
