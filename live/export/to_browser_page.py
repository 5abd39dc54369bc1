"""A page that recognises letters in a browser: features and network in plain JavaScript, no build step."""

import json
import shutil
import zipfile
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from aslkit.core.errors import AslkitError, InputError
from aslkit.inference import network_file
from aslkit.inference.network import Network
from aslkit.vision.preprocess import PreprocessConfig

TASKS_VISION: Final = "0.10.21"
"""Version of @mediapipe/tasks-vision, of the same release as aslkit's mediapipe."""

HAND_MODEL: Final = "hand.task"
"""The two models of `aslkit.vision.hand_landmarker`, from mediapipe's wheel, in the zip that tasks-vision reads."""

_HAND_PARTS: Final = {
    "hand_detector.tflite": "modules/palm_detection/palm_detection_full.tflite",
    "hand_landmarks_detector.tflite": "modules/hand_landmark/hand_landmark_full.tflite",
}

_CDN: Final = f"https://cdn.jsdelivr.net/npm/@mediapipe/tasks-vision@{TASKS_VISION}"
_FILES: Final = Path(__file__).parent / "browser"
_KNOWN: Final = frozenset(("normalise", "flatten", "dense", "scale", "relu", "softmax"))
"""Kinds of layers that network.js has."""

_SETTINGS: Final = """"use strict";
// Where the page finds MediaPipe, which finds the hand: addresses, or paths of copies beside this file; see README.md.
const aslkitSettings = {{
  tasksVision: "{cdn}/vision_bundle.mjs",
  wasm: "{cdn}/wasm",
  handModel: "{model}",
  handsNamedAsInMirror: false, // true for tasks-vision before 0.10.15, which took each picture for a mirror's
}};
"""


def write_page(to: Path, network: Network, contract: PreprocessConfig, *, name: str) -> None:
    """Write the page's files into a folder.

    Args:
        to: the folder.
        network: of the run, whose feature must be landmarks.
        contract: likewise.
        name: of the run, shown as text.

    Raises:
        InputError: the run sees pixels, or has a layer that the page does not know.
        AslkitError: mediapipe is not installed, or has no models.
    """
    kinds = {layer.kind for member in network.members for layer in member}
    if contract.kind != "landmarks" or not kinds <= _KNOWN:
        raise InputError(
            "The page recognises by landmarks, and this run by pixels. Train one: aslkit train --feature landmarks"
        )
    shutil.copytree(_FILES, to, dirs_exist_ok=True)
    _write_hand_model(to / HAND_MODEL)
    values = {"name": name, "contract": asdict(contract), "network": network_file.network_to_dict(network)}
    (to / "model.js").write_text(f'"use strict";\nconst aslkitModel = {json.dumps(values)};\n', encoding="ascii")
    (to / "settings.js").write_text(_SETTINGS.format(cdn=_CDN, model=HAND_MODEL), encoding="ascii")


def _write_hand_model(path: Path) -> None:
    found = find_spec("mediapipe")
    parts = (
        {name: Path(found.origin).parent / part for name, part in _HAND_PARTS.items()} if found and found.origin else {}
    )
    if not parts or not all(part.is_file() for part in parts.values()):
        raise AslkitError("mediapipe's hand models are missing. `aslkit doctor` says how to get them.")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as both:
        for name, part in parts.items():
            both.writestr(zipfile.ZipInfo(name), part.read_bytes())
