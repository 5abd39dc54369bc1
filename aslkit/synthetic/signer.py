"""Synthetic signers and their sessions. The name is the seed of all their properties."""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import InputError
from aslkit.synthetic.render import Light
from aslkit.synthetic.scene import ROOMS, Camera
from aslkit.synthetic.shading import Appearance
from aslkit.synthetic.skeleton import Build

PREFIX: Final = "synthetic-"
"""Prefix of the names of synthetic signers, which distinguishes them from real people."""

FAULTS: Final = ("no-hand", "cut-off", "blurred", "dark", "repeated")
"""Faults that `render_frames` can produce."""

HABIT_DEG: Final = 3.0
LEFT_SHARE: Final = 0.2
SKINS: Final = (
    ((0.66, 0.75, 0.93), (0.70, 0.77, 0.97)),
    ((0.55, 0.66, 0.88), (0.62, 0.71, 0.94)),
    ((0.45, 0.57, 0.80), (0.55, 0.65, 0.90)),
    ((0.35, 0.47, 0.69), (0.49, 0.59, 0.83)),
    ((0.25, 0.35, 0.54), (0.43, 0.53, 0.75)),
    ((0.18, 0.25, 0.40), (0.39, 0.48, 0.68)),
)
"""Skin colours from light to dark: back of the hand and palm, BGR, 0–1."""

AVERAGE_BUILD: Final = Build()
FAIR_APPEARANCE: Final = Appearance(skin=SKINS[1][0], palm=SKINS[1][1])
DAYLIGHT: Final = Light()
GOOD_CAMERA: Final = Camera()


def seeded_rng(*words: str | int) -> np.random.Generator:
    """Return a random number generator that depends on the words only, on all machines and in all processes."""
    digest = hashlib.sha256("\x1f".join(str(word) for word in words).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A synthetic signer.

    Attributes:
        name: name; starts with "synthetic-".
        left_handed: whether the signer uses the left hand.
        build: proportions of the hand.
        look: skin and sleeve.
        habit_deg: standard deviation of the signer's personal variation of a letter, degrees per joint. Orientation and
            thumb position vary in proportion.
        use_variants: whether the signer can use the variants in `pose_variants`.

    Raises:
        InputError: the name does not start with "synthetic-", or has nothing after it.
    """

    name: str
    left_handed: bool = False
    build: Build = AVERAGE_BUILD
    look: Appearance = FAIR_APPEARANCE
    habit_deg: float = HABIT_DEG
    use_variants: bool = False

    def __post_init__(self) -> None:
        if not self.name.startswith(PREFIX) or self.name == PREFIX:
            raise InputError(
                f"The name of a synthetic signer must start with {PREFIX!r}; it is {self.name!r}. "
                f"Use for example {PREFIX + 'ada'!r}."
            )

    @classmethod
    def draw(cls, name: str) -> "Signer":
        """Return the signer with this name. The same name always gives the same signer.

        Raises:
            InputError: the name does not start with "synthetic-".
        """
        rng = seeded_rng("signer", name)
        build = Build(
            palm_width=float(rng.normal(1, 0.04)),
            palm_length=float(rng.normal(1, 0.03)),
            fingers=tuple(np.clip(rng.normal(rng.normal(1, 0.03), 0.025, 5), 0.88, 1.12).tolist()),
            thickness=float(np.clip(rng.normal(1.06, 0.05), 0.95, 1.18)),
        )
        skin, palm = np.asarray(SKINS[int(rng.integers(len(SKINS)))])
        shade = rng.uniform(0.94, 1.05) * rng.uniform(0.97, 1.03, 3)
        sleeve = tuple(rng.uniform(0.08, 0.75, 3).tolist()) if rng.random() < 0.5 else None
        look = Appearance(
            skin=tuple((skin * shade).tolist()),
            palm=tuple((palm * shade).tolist()),
            sleeve=sleeve,
            sleeve_from=float(rng.uniform(60, 170)),
            grain=int(rng.integers(2**31)),
        )
        return cls(name=name, left_handed=bool(rng.random() < LEFT_SHARE), build=build, look=look)


@dataclass(frozen=True, kw_only=True)
class SyntheticSession:
    """A recording session of a synthetic signer.

    Attributes:
        name: name of the session.
        room: key of `scene.ROOMS`.
        room_seed: seed of the room.
        brightness: factor on the brightness of the room.
        light: light on the hand.
        camera: noise, blur, sharpening and compression.
        span: size of a hand of 190 mm in the frame, as a share of its height.
        place: centre of the hand, x and y as shares of the frame.
        view: yaw, pitch and roll of the signer relative to the camera, degrees.
    """

    name: str
    room: str = "wall"
    room_seed: int = 0
    brightness: float = 1.0
    light: Light = DAYLIGHT
    camera: Camera = GOOD_CAMERA
    span: float = 0.5
    place: tuple[float, float] = (0.5, 0.5)
    view: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @classmethod
    def draw(cls, signer: Signer, name: str) -> "SyntheticSession":
        """Return the session with this name. The same names always give the same session."""
        rng = seeded_rng("session", signer.name, name)
        strength = rng.uniform(0.9, 1.12)
        light = Light(
            towards=(float(rng.uniform(-0.8, 0.8)), float(rng.uniform(-1.0, -0.2)), float(rng.uniform(0.6, 1.2))),
            lamp=float(strength * rng.uniform(0.45, 0.66)),
            around=float(strength * rng.uniform(0.42, 0.58)),
            tint=tuple((1 + rng.normal(0, 0.03, 3)).tolist()),
        )
        camera = Camera(
            noise=float(rng.uniform(0.8, 4.5)),
            blur_px=float(rng.uniform(0.0, 0.6)),
            sharpening=float(rng.uniform(0.2, 0.6)),
            jpeg_quality=int(rng.integers(75, 96)),
        )
        return cls(
            name=name,
            room=str(rng.choice(list(ROOMS))),
            room_seed=int(rng.integers(2**31)),
            brightness=float(rng.uniform(0.75, 1.1)),
            light=light,
            camera=camera,
            span=float(rng.uniform(0.42, 0.62)),
            place=(float(rng.uniform(0.42, 0.58)), float(rng.uniform(0.44, 0.56))),
            view=tuple(rng.normal(0, (5.0, 4.0, 4.0)).tolist()),
        )


@dataclass(frozen=True, kw_only=True)
class SyntheticFrame:
    """A frame with its ground truth.

    Attributes:
        image: uint8 (height, width, 3), BGR, not mirrored.
        joints: float32 (21, 3), MediaPipe's order: x and y as shares of the width and height (outside 0–1 if cut off),
            z as a share of the width relative to the wrist, smaller towards the camera; NaN without a hand.
        fault: one of FAULTS, or None for a good frame.
    """

    image: npt.NDArray[np.uint8]
    joints: npt.NDArray[np.float32]
    fault: str | None
