"""Writes a web page that recognises letters in the browser. It is plain JavaScript and needs no build step."""

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
from aslkit.live.config import LiveConfig
from aslkit.live.export import tasks_vision
from aslkit.vision.hand_embedding import embedding_model
from aslkit.vision.preprocess import PreprocessConfig

HAND_MODEL: Final = "hand.task"
"""Zip archive that tasks-vision reads, with the models of the mediapipe package that aslkit uses."""

EMBEDDING_MODEL: Final = "embedding.tflite"
"""MediaPipe's landmark model without its last layer; only for networks that need an embedding."""

_HAND_MODELS: Final = {
    "hand_detector.tflite": "modules/palm_detection/palm_detection_full.tflite",
    "hand_landmarks_detector.tflite": "modules/hand_landmark/hand_landmark_full.tflite",
}

_PAGE_FILES: Final = Path(__file__).parent / "browser"
_SUPPORTED_LAYERS: Final = frozenset(("normalise", "slice", "flatten", "dense", "scale", "relu", "softmax"))
"""Kinds of layers that network.js implements."""

_SPELLER_SETTINGS: Final = frozenset(("hold_s", "agree", "least_frames", "release_s", "space_s", "gap_s"))
"""Settings of live recognition that speller.js uses, with their default values."""


def write_page(
    folder: Path, network: Network, contract: PreprocessConfig, *, name: str, motion: Network | None = None
) -> None:
    """Write the files of the page to a folder.

    Args:
        folder: folder to write to.
        network: network of the run.
        contract: contract of the run. Its feature must be landmarks, embedding or both.
        name: name of the run, shown on the page.
        motion: network of the run that recognises drawn letters; None if it has none.

    Raises:
        InputError: the run uses crops, or has a layer that the page does not support.
        AslkitError: mediapipe is not installed, or does not contain the hand models; or MediaPipe for
            browsers is damaged.
    """
    networks = [network] if motion is None else [network, motion]
    kinds = {layer.kind for each in networks for member in each.members for layer in member}
    if contract.kind == "pixels" or not kinds <= _SUPPORTED_LAYERS:
        raise InputError("The page only supports the features landmarks, embedding and both, not crops of the hand.")
    shutil.copytree(_PAGE_FILES, folder, dirs_exist_ok=True)
    tasks_vision.unpack(folder / "mediapipe")
    _write_hand_model(folder / HAND_MODEL)
    if contract.has_embedding:
        (folder / EMBEDDING_MODEL).write_bytes(embedding_model())
    values = {
        "name": name,
        "contract": asdict(contract),
        "speller": {key: value for key, value in asdict(LiveConfig()).items() if key in _SPELLER_SETTINGS},
        "network": network_file.network_to_dict(network),
        "motion": None if motion is None else network_file.network_to_dict(motion),
    }
    # A script instead of a JSON file, because browsers do not let a page opened as a file fetch others.
    (folder / "model.js").write_text(f'"use strict";\nconst aslkitModel = {json.dumps(values)};\n', encoding="ascii")


def _write_hand_model(path: Path) -> None:
    spec = find_spec("mediapipe")  # importing mediapipe would take seconds
    models = (
        {name: Path(spec.origin).parent / model for name, model in _HAND_MODELS.items()} if spec and spec.origin else {}
    )
    if not models or not all(model.is_file() for model in models.values()):
        raise AslkitError("MediaPipe's hand models are missing. Run `aslkit doctor` to find out how to install them.")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, model in models.items():
            archive.writestr(zipfile.ZipInfo(name), model.read_bytes())  # ZipInfo: no modification time
