"""Render the frames of a synthetic signer who signs a letter, and the sample image of a letter."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import InputError
from aslkit.core.letters import MOTION_LETTERS, parse_letter
from aslkit.synthetic.letter_poses import POSES, Pose
from aslkit.synthetic.movements.motion_poses import MOTION_POSES
from aslkit.synthetic.movements.repeated_letter import FARTHER, RepeatedLetter
from aslkit.synthetic.pose_variants import VARIANTS
from aslkit.synthetic.render import Light, render_hand
from aslkit.synthetic.rest_poses import REST_POSES
from aslkit.synthetic.scene import Camera, apply_camera, noise_tile, render_background
from aslkit.synthetic.signer import FAULTS, HABIT_DEG, Signer, SyntheticFrame, SyntheticSession, seeded_rng
from aslkit.synthetic.skeleton import MAX_ANGLES_DEG, MIN_ANGLES_DEG, TURN_DEG, Build, Figure, pose_hand

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

HAND_MM: Final = 190.0
"""Distance from the wrist to the middle fingertip of an average hand, millimetres."""

MIN_SIDE: Final = 64
"""Minimum width and height, pixels. In a smaller frame a finger is less than a few pixels wide."""

MARGIN: Final = 0.04
"""Minimum distance of the joints from the edge, as a share of the frame, except in a cut-off frame."""

SWAY_DEG: Final = 1.6
DRIFT: Final = np.array([0.018, 0.018, 0.02])
"""Standard deviations of the movement of a held hand: joint angles, and position (x, y and distance)."""


class _Drift:
    """Smooth random movement with standard deviation 1. Each channel is the sum of three slow sine waves."""

    def __init__(self, rng: np.random.Generator, channels: int) -> None:
        self._hertz = rng.uniform((0.04, 0.15, 0.4), (0.15, 0.4, 0.9), (channels, 3))
        self._phase = rng.uniform(0, 2 * np.pi, (channels, 3))
        self._size = np.array([1.1, 0.75, 0.35])

    def at(self, seconds: float) -> Array:
        """Return float64 (channels,)."""
        waves = np.sin(2 * np.pi * self._hertz * seconds + self._phase)
        return np.asarray((waves * self._size).sum(axis=1), np.float64)


def _choose_pose(name: str, signer: Signer) -> Pose:
    if name in MOTION_POSES:
        return MOTION_POSES[name][0]
    if name not in POSES:
        return REST_POSES[name]
    if not signer.use_variants:
        return POSES[name]
    poses = (POSES[name], *VARIANTS.get(name, ()))
    return poses[int(seeded_rng("form", signer.name, name).integers(len(poses)))]


class _Performance:
    """The posed hand over time, of one signer who signs a letter or rests, in one session."""

    def __init__(self, letter: str, signer: Signer, session: SyntheticSession, seed: int) -> None:
        self._pose, self._signer = _choose_pose(letter, signer), signer
        width = signer.habit_deg / HABIT_DEG
        habit = seeded_rng("habit", signer.name, letter)
        mood = seeded_rng("mood", signer.name, session.name, letter)
        self._angles = np.asarray(self._pose.fingers) + habit.normal(0, signer.habit_deg, (4, 4)) * (1, 1, 1, 0.35)
        self._angles += mood.normal(0, 1.5, (4, 4)) * (1, 1, 1, 0.35)
        self._view = np.asarray(self._pose.view) + width * habit.normal(0, (5, 4, 4)) + session.view
        self._reach = width * habit.normal(0, 1.5, 3)
        self._drift = _Drift(seeded_rng("drift", signer.name, session.name, letter, seed), 25)
        self._movement = RepeatedLetter(letter, signer, session, seed) if letter in MOTION_POSES else None

    def at(self, seconds: float) -> tuple[Figure, Array, Array]:
        """Return the posed hand, its drift, float64 (3,), and how far it has moved to draw, float64 (2,).

        The drift is that of x, y (shares of the frame) and distance; the movement is in millimetres in the image.
        """
        place, turned = self._movement.at(seconds) if self._movement else (np.zeros(3), np.zeros(3))
        drift = self._drift.at(seconds)
        angles = np.clip(
            self._angles + SWAY_DEG * drift[:16].reshape(4, 4) * (1, 1, 1, 0.5), MIN_ANGLES_DEG, MAX_ANGLES_DEG
        )
        posed = pose_hand(
            self._pose,
            build=self._signer.build,
            angles=angles,
            view=self._view + TURN_DEG * drift[16:19] + turned,
            reach=self._reach + drift[19:22] * 0.8,
            left=self._signer.left_handed,
        )
        moved = place[:2] * (-1.0 if self._signer.left_handed else 1.0, 1.0)
        return posed, DRIFT * drift[22:25], moved


def _place_hand(
    posed: Figure, session: SyntheticSession, drift: Array, size: tuple[int, int], cut: str | None
) -> tuple[float, Array]:
    """Return the scale in pixels per millimetre and the position of the wrist in pixels.

    All joints are in the frame unless it cuts the hand off.

    Args:
        posed: the hand.
        session: defines distance and position.
        drift: float64 (3,): x, y, distance.
        size: width and height of the frame, pixels.
        cut: side of the frame that cuts the hand off, or None.
    """
    frame = np.asarray(size, np.float64)
    low, high = posed.joints[:, :2].min(axis=0), posed.joints[:, :2].max(axis=0)
    scale = session.span * min(size[1], 0.75 * size[0]) * (1 + float(drift[2])) / HAND_MM
    scale = min(scale, float(((1 - 2 * MARGIN - 0.02) * frame / (high - low)).min()))
    middle = (np.asarray(session.place) + drift[:2]) * frame
    half = (high - low) / 2 * scale
    middle = np.clip(middle, MARGIN * frame + half, (1 - MARGIN) * frame - half)
    if cut is not None:
        axis, edge = (0, frame[0]) if cut == "right" else (0, 0.0) if cut == "left" else (1, 0.0)
        middle[axis] = edge
    return scale, middle - (low + high) / 2 * scale


def _keep_inside(place: Array, joints: Array, size: tuple[int, int]) -> Array:
    """Return the position of the wrist, moved so that all joints, float64 (21, 2) from the wrist, are in the frame."""
    frame = np.asarray(size, np.float64)
    low, high = joints.min(axis=0), joints.max(axis=0)
    return np.asarray(np.clip(place, MARGIN * frame - low, (1 - MARGIN) * frame - high), np.float64)


def _normalise_joints(posed: Figure, scale: float, place: Array, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return the joints in MediaPipe's units, float32 (21, 3)."""
    pixels = posed.joints * scale + np.array([place[0], place[1], 0.0])
    return np.asarray(pixels / (size[0], size[1], size[0]), np.float32)


def _validate_arguments(width: int, height: int, fault: str | None, fps: float) -> None:
    if fault is not None and fault not in FAULTS:
        raise InputError(f"{fault!r} is not a fault of the synthetic signer. Use one of: {', '.join(FAULTS)}.")
    if width < MIN_SIDE or height < MIN_SIDE:
        raise InputError(
            f"A synthetic frame must be at least {MIN_SIDE} pixels wide and high; it is {width} x {height}."
        )
    if not fps > 0:
        raise InputError(f"fps must be above 0; it is {fps}.")


def render_frames(
    letter: str,
    *,
    signer: Signer,
    session: SyntheticSession,
    seed: int = 0,
    width: int = 640,
    height: int = 480,
    fault: str | None = None,
    fps: float = 30.0,
) -> Iterator[SyntheticFrame]:
    """Return an endless stream of frames. The same arguments give identical frames.

    Args:
        letter: a letter, or a key of `rest_poses.REST_POSES`. J and Z are drawn again and again.
        signer: the signer.
        session: room, light, camera and distance.
        seed: of the movement.
        width: of the frame, pixels, at least MIN_SIDE.
        height: of the frame, pixels, at least MIN_SIDE.
        fault: fault of every frame, or None: "no-hand" is the empty room, "cut-off" a hand at the edge, "blurred"
            out of focus, "dark" underexposed, "repeated" the first frame repeated.
        fps: frames per second, above 0. It sets how far the hand moves between frames.

    Raises:
        InputError: invalid letter, fault, size or rate. It is raised by the call, not by the first frame.
    """
    if letter in MOTION_LETTERS:
        session = replace(session, span=FARTHER * session.span)
    elif letter not in REST_POSES:
        letter = parse_letter(letter)
    _validate_arguments(width, height, fault, fps)
    return _stream(letter, signer, session, seed, (width, height), fault, fps)


def _apply_fault(session: SyntheticSession, fault: str | None) -> Camera:
    """Return the camera of the session, with the fault applied."""
    if fault == "blurred":
        # Noise increases measured sharpness, so a blurred frame must have little of it.
        return replace(session.camera, blur_px=8.0, sharpening=0.0, noise=0.2 * session.camera.noise)
    if fault == "dark":
        return replace(session.camera, exposure=0.09)
    return session.camera


def _stream(
    letter: str,
    signer: Signer,
    session: SyntheticSession,
    seed: int,
    size: tuple[int, int],
    fault: str | None,
    fps: float,
) -> Iterator[SyntheticFrame]:
    width, height = size
    performance, camera = _Performance(letter, signer, session, seed), _apply_fault(session, fault)
    room_rng = np.random.default_rng(session.room_seed)
    room = render_background(session.room, rng=room_rng, width=width, height=height, brightness=session.brightness)
    rng = seeded_rng("camera", signer.name, session.name, letter, seed)
    noise = noise_tile(rng, width=width, height=height, noise=camera.noise)
    cut = str(rng.choice(["left", "right", "top"])) if fault == "cut-off" else None
    for index in count():
        posed, drift, moved = performance.at(0.0 if fault == "repeated" else index / fps)
        scale, place = _place_hand(posed, session, drift, size, cut)
        if letter in MOTION_POSES:
            place = _keep_inside(place + moved * scale, posed.joints[:, :2] * scale, size)
        joints = _normalise_joints(posed, scale, place, size)
        picture = room
        if fault == "no-hand":
            joints = np.full_like(joints, np.nan)
        else:
            picture = render_hand(room, posed, look=signer.look, light=session.light, scale=scale, place=place)
        shift = (0, 0) if fault == "repeated" else (int(rng.integers(height)), int(rng.integers(width)))
        image = apply_camera(picture, camera, noise=noise, shift=shift)
        yield SyntheticFrame(image=image, joints=joints, fault=fault)


def render_letter(letter: str, *, size: int = 320) -> Image:
    """Return a sample image of a letter: a right hand, seen by the viewer.

    Args:
        letter: a letter, upper or lower case. Of J and Z, the hand shape is shown.
        size: width and height, pixels, at least MIN_SIDE.

    Returns:
        uint8 (size, size, 3), BGR, on a light background.

    Raises:
        InputError: invalid letter or size.
    """
    letter = letter.upper() if letter.upper() in MOTION_LETTERS else parse_letter(letter)
    _validate_arguments(size, size, None, 1.0)
    pose = MOTION_POSES[letter][0] if letter in MOTION_LETTERS else POSES[letter]
    posed = pose_hand(
        pose,
        build=Build(),
        angles=np.asarray(pose.fingers),
        view=np.asarray(pose.view),
        reach=np.zeros(3),
        left=False,
    )
    low, high = posed.joints[:, :2].min(axis=0), posed.joints[:, :2].max(axis=0)
    scale = float(min(size / 240.0, (0.86 * size / (high - low)).min()))
    plain = np.full((size, size, 3), (236, 232, 228), np.uint8)
    look = Signer(name="synthetic-example").look
    return render_hand(plain, posed, look=look, light=Light(), scale=scale, place=size / 2 - (low + high) / 2 * scale)
