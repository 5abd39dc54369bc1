"""Renders the README of an export: files, inputs and outputs, usage, and the measured accuracy."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

from aslkit.live.export import tasks_vision
from aslkit.live.export.fidelity import Fidelity
from aslkit.live.export.result import ModelExport
from aslkit.live.export.to_browser_page import EMBEDDING_MODEL, HAND_MODEL
from aslkit.vision.hand_embedding import EMBEDDING_VALUES
from aslkit.vision.motion.contract import MotionContract
from aslkit.vision.motion.features import MOTION_VALUES, STEP_VALUES
from aslkit.vision.motion.reader import AGREE_S
from aslkit.vision.motion.track import MAX_GAP_S, OFFSETS_S
from aslkit.vision.preprocess import LANDMARK_VALUES, PreprocessConfig

_CONTRACT_LOCATIONS: Final = {
    "tflite": "appended to `model.tflite` as a zip archive. Read it with "
    '`json.loads(zipfile.ZipFile("model.tflite").read("preprocess.json"))`.',
    "onnx": "stored in the metadata of `model.onnx`, under `preprocess`.",
    "saved-model": "in `model/assets.extra/preprocess.json`.",
    "page": "in `model.js`, under `contract`.",
}

_EXAMPLE: Final = """
## Usage

    python example.py hand.jpg

`example.py` shows all steps: it finds the hand, computes the input, runs the model and applies the threshold. Its first
line names the packages that it needs.
"""

_MOTION_FILES: Final = {"tflite": "motion.tflite", "onnx": "motion.onnx", "saved-model": "motion/"}

_MOTION: Final = """
## J and Z

J and Z are drawn, so a second network, `{file}`, recognises them in the landmarks of the last {duration_s:g} seconds.

- Input `input`: float32 ({batch_size}, {values}), {step_values} values for each of {steps} times, oldest first, from
  `aslkit.vision.motion.features.motion_features`
- Output `probabilities`: float32 ({batch_size}, {outputs}), {classes}, in this order, not calibrated

The times, in seconds relative to the newest frame:

    {times}

Interpolate the landmarks between the frames with a hand; before the first and after the last one, the hand rests. The
values of each time, in this order:

| values | |
|---|---|
| 6 | x and y of the wrist, the index fingertip and the little fingertip, relative to the newest wrist |
| 5 | distances from the base to the tip of the thumb and of the index, middle, ring and little finger |
| 3 | x, y and z of the vector from the wrist to the middle knuckle |
| 3 | x, y and z of the vector from the little to the index knuckle |
| 1 | 1 if a frame with a hand is at most {max_gap_s:g} s away, otherwise 0 |

Multiply x and z of MediaPipe's landmarks by the width of the frame, and y by its height. If most hands of these frames
are left hands, negate x. Divide all lengths by the size of the palm: the lengths of the last two vectors, added and
averaged over all times.

A letter is recognised if its probability is the highest one in the newest frame, and on average at least {threshold:g}
in the frames of the last {agree_s:g} s, at least two. Then forget the earlier frames.
`aslkit.vision.motion.reader.MotionReader` implements this. `motion` in the contract contains the outputs and the
threshold.
{quantized}
    python example_motion.py video.mp4
"""

_PAGE_MOTION: Final = """
## J and Z

The page recognises J and Z, which are drawn, in the landmarks of the last {duration_s:g} seconds. While the hand moves,
no static letter is typed. J and Z are typed as soon as their movement is recognised, and replace a static letter that
the same hand shape was read as before the movement, such as I before J. `motion.js` and `speller.js` have the rules,
and `model.js` the network, under `motion`.
"""

_KERNELS: Final = """
## XNNPACK and int8

By default, TensorFlow Lite runs int8 models with XNNPACK. The version in TensorFlow 2.18 computes wrong results on some
processors without reporting an error; this was observed on a processor with AMX. `example.py` therefore uses the
built-in kernels (`BUILTIN_WITHOUT_DEFAULT_DELEGATES`).{measured}
Test XNNPACK on your target machine before you rely on it. Models that are not quantised to int8 are not affected.
"""

_PAGE: Final = """
## Usage

Start a web server in this folder:

    python -m http.server 8000 --bind 127.0.0.1

Then open http://127.0.0.1:8000. Any other web server works as well, in any folder. For phones and other machines, it
must use https: browsers give the camera only to pages over https or on the same device. They do not load MediaPipe for
a page that was opened as a file; such a page still recognises landmark files.

Camera images never leave the browser, and the page loads nothing from other servers: its content security policy
forbids it. The page needs Chrome 91, Firefox 89, Safari 16.4 or later, and WebGL 2.

The folder `mediapipe` contains `@mediapipe/tasks-vision` {version}, which finds hands (Google, Apache-2.0, see
`mediapipe/LICENSE`; `vision_bundle.js` was named `vision_bundle.mjs`). `{model}` contains the hand models of the
mediapipe package that aslkit uses (Google, Apache-2.0).

To test the network without a camera and without MediaPipe, open a JSON file with the landmarks of a hand:

    {{"landmarks": [[x, y, z], …], "width": 640, "height": 480, "handedness": "right"{embedding}}}

`landmarks` has 21 points. Their x and y are relative to the width and height of the image, which must not be mirrored.
`handedness` is the signer's hand, `"left"` or `"right"`.{embedding_note}

## Differences from aslkit

From the same landmarks, the page computes the same probabilities as aslkit, within 1e-4{embedding_difference}. For a
camera, both follow the hand from frame to frame, and their landmarks differ by less than 0.3 % of the hand's size. The
page does not search a second time in frames without a hand, and therefore finds fewer hands. In single images, which
are not tracked, landmarks differ by about 1 %.
"""


def render_readme(
    exported: ModelExport,
    *,
    run: Path,
    contract: PreprocessConfig,
    motion: bool = False,
    trained_letters: Collection[str] = (),
) -> str:
    """Return the README as Markdown.

    Args:
        exported: the export.
        run: run folder.
        contract: contract of the run.
        motion: whether the export has a network that recognises drawn letters.
        trained_letters: letters that the model was trained on; empty if they are unknown.
    """
    quantized = f", {exported.quantize}" if exported.quantize != "none" else ""
    parts = [
        f"# {_format_code(run.absolute().name)} as {exported.format}{quantized}",
        "",
        "Created by `aslkit export`.",
        "",
        "## Model",
        "",
        *_describe_interface(contract, _batch_size(exported)),
        *_describe_untrained_letters(contract, trained_letters),
        "",
        "The contract, `preprocess.json`, defines how the input is computed from an image, and contains the "
        f"temperature and the threshold. It is {_CONTRACT_LOCATIONS[exported.format]}",
        "",
        _describe_calibration(contract),
    ]
    parts.append(_describe_page(contract) if exported.format == "page" else _EXAMPLE)
    if motion and contract.motion is not None:
        parts.append(_describe_motion(exported, contract.motion))
    if exported.loss:
        parts += ["## Accuracy", "", describe_fidelity(exported.loss)]
    if exported.quantize == "int8":
        parts.append(_KERNELS.format(measured=_describe_xnnpack(exported.loss)))
    return "\n".join(parts).rstrip() + "\n"


def _describe_page(contract: PreprocessConfig) -> str:
    note = (
        f"\n`embedding` has {EMBEDDING_VALUES} values: those of `{EMBEDDING_MODEL}` for the hand, and sine and cosine "
        "of its rotation."
    )
    return _PAGE.format(
        version=tasks_vision.VERSION,
        model=HAND_MODEL,
        embedding_difference=" (embeddings: 0.02)" if contract.has_embedding else "",
        embedding=', "embedding": […]' if contract.has_embedding else "",
        embedding_note=note if contract.has_embedding else "",
    )


def _describe_motion(exported: ModelExport, contract: MotionContract) -> str:
    duration_s = -float(OFFSETS_S[0])
    if exported.format == "page":
        return _PAGE_MOTION.format(duration_s=duration_s)
    note = f"\nThis network is not quantised: only that of the static letters is {exported.quantize}.\n"
    return _MOTION.format(
        file=_MOTION_FILES[exported.format],
        duration_s=duration_s,
        batch_size=_batch_size(exported),
        values=MOTION_VALUES,
        step_values=STEP_VALUES,
        steps=len(OFFSETS_S),
        times=" ".join(f"{each:g}" for each in OFFSETS_S),
        outputs=len(contract.classes),
        classes=", ".join(map(_format_code, contract.classes)),
        max_gap_s=MAX_GAP_S,
        threshold=contract.threshold,
        agree_s=AGREE_S,
        quantized=note if exported.quantize != "none" else "",
    )


def _batch_size(exported: ModelExport) -> str:
    return "1" if exported.format == "tflite" else "n"


def describe_fidelity(fidelity: Fidelity) -> str:
    """Return a few sentences about the difference between the exported model and the original, as Markdown."""
    signers = ", ".join(map(_format_code, fidelity.people))
    note = "" if fidelity.strangers else " The model was trained on these signers, so both accuracies are optimistic."
    kind = "unseen signers" if fidelity.strangers else "signers"
    return (
        f"Measured on {fidelity.frames:,} frames of the {kind} {signers} in {_format_code(fidelity.dataset)}: "
        f"the same letter is predicted in {fidelity.same:.2%} of the frames, and probabilities differ by at most "
        f"{fidelity.biggest:.2g}. The accuracy is {fidelity.before:.2%} before and {fidelity.after:.2%} after the "
        f"export. All frames contain a hand.{note}"
    )


def _describe_interface(contract: PreprocessConfig, batch_size: str) -> list[str]:
    shape = ", ".join(map(str, contract.shape))
    size = f"{contract.size}×{contract.size}"
    landmarks = f"{LANDMARK_VALUES} features of the 21 hand landmarks"
    embedding = f"{EMBEDDING_VALUES} values of the hand's embedding by MediaPipe's landmark model"
    inputs = {
        "landmarks": landmarks,
        "embedding": embedding,
        "both": f"{landmarks}, and {embedding}",
        "pixels": f"a gray {size} image of the hand, 0–1",
    }[contract.kind]
    return [
        f"- Input `input`: float32 ({batch_size}, {shape}), {inputs}, from `aslkit.vision.preprocess.model_input`",
        f"- Output `probabilities`: float32 ({batch_size}, {len(contract.letters)}), one for each of the letters "
        f"{_format_code(' '.join(contract.letters))}, in this order",
    ]


def _describe_untrained_letters(contract: PreprocessConfig, trained: Collection[str]) -> list[str]:
    known = [letter for letter in contract.letters if letter in trained]
    if not known or len(known) == len(contract.letters):
        return []
    return [
        f"- Letters: the model was trained on {_format_code(' '.join(known))} only. It does not recognise the others; "
        "ignore their probabilities"
    ]


def _describe_calibration(contract: PreprocessConfig) -> str:
    return (
        "The probabilities are not calibrated. To calibrate them, divide their logarithms by the temperature "
        f"({contract.temperature:.4g}) and apply a softmax. If the highest calibrated probability is below "
        f"the threshold ({contract.threshold:.4g}), reject the prediction."
    )


def _describe_xnnpack(fidelity: Fidelity | None) -> str:
    if fidelity is None or fidelity.xnnpack_same is None:
        return ""
    return (
        "\nOn the machine that created this export, XNNPACK predicted the same letter in "
        f"{fidelity.xnnpack_same:.2%} of the frames."
    )


def _format_code(text: str) -> str:
    """Format text as Markdown code, so that it is never interpreted as markup."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"
