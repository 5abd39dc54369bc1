"""The README of an export: what lies there, what goes in and comes out, what was lost."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from aslkit.live.export.fidelity import Fidelity
from aslkit.live.export.to_browser_page import HAND_MODEL, TASKS_VISION
from aslkit.vision.preprocess import PreprocessConfig

if TYPE_CHECKING:
    from aslkit.live.export.run import ModelExport

_WHERE: Final = {
    "tflite": "`model.tflite`, a zip behind the model: "
    '`json.loads(zipfile.ZipFile("model.tflite").read("preprocess.json"))`',
    "onnx": "`model.onnx`, under `preprocess` in its metadata_props",
    "saved-model": "`model/assets.extra/preprocess.json`",
    "page": "`model.js`, under `contract`",
}

_KERNELS: Final = """## XNNPACK and eight bits

The example lets TensorFlow Lite's own kernels compute (`BUILTIN_WITHOUT_DEFAULT_DELEGATES`). By default the interpreter
hands eight-bit models to XNNPACK, and TensorFlow 2.18's computes them wrongly on some processors (seen on one that has
AMX): other letters, and no error. {seen}Try it on the machine where it is to run before you rely on it. Models that
are not quantised to eight bits are not concerned.
"""

_PAGE: Final = """
## Opening it

A browser gives no camera to a page opened as a file. In this folder: `python -m http.server 8000 --bind 127.0.0.1`,
then http://127.0.0.1:8000. From another machine it must be https.

The page finds hands with MediaPipe's `@mediapipe/tasks-vision` {version}, which it fetches from a CDN (about 12 MB): it
needs the network for that, and sends nothing that the camera sees anywhere. `{model}` holds the hand models of aslkit's
own mediapipe (Google, Apache-2.0). To run without a network, put a copy beside the page,

    npm pack @mediapipe/tasks-vision@{version}

unpack it, and name `package/vision_bundle.mjs` and `package/wasm` in `settings.js`.

A file of landmarks tries the network without any of these:
`{{"landmarks": [[x, y, z], … 21 of them], "width": 640, "height": 480, "handedness": "right"}}`, x and y as shares of
the picture, not mirrored, `handedness` the hand itself.

The page follows the hand from frame to frame and has no second try, so it may find joints a little elsewhere than
aslkit does, and single frames may be said otherwise. Features and network are the same, within 1e-4.
"""


def render_readme(exported: "ModelExport", *, run: Path, contract: PreprocessConfig) -> str:
    """The README's text, Markdown.

    Args:
        exported: what was written.
        run: the run's folder.
        contract: of the model.
    """
    quantized = f", {exported.quantize}" if exported.quantize != "none" else ""
    parts = [f"# {_code(run.absolute().name)} as {exported.format}{quantized}", ""]
    parts += [
        "Made by `aslkit export`.",
        _in_and_out(contract, "1" if exported.format == "tflite" else "n"),
        "",
        _sure(contract),
        "",
    ]
    parts += [f"How a frame becomes an input is the contract's, in {_WHERE[exported.format]}."]
    if exported.format == "page":
        parts.append(_PAGE.format(version=TASKS_VISION, model=HAND_MODEL))
    else:
        parts += ["", "    python example.py hand.jpg", ""]
    if exported.loss:
        parts += ["## What it lost", "", describe_fidelity(exported.loss), ""]
    if exported.quantize == "int8":
        parts.append(_KERNELS.format(seen=_seen(exported.loss)))
    return "\n".join(parts).rstrip() + "\n"


def describe_fidelity(loss: Fidelity) -> str:
    """What was lost, in a sentence or two."""
    whose = "people the model never saw" if loss.strangers else "people it was trained on, so both accuracies flatter"
    people = ", ".join(map(_code, loss.people))
    return (
        f"On {loss.frames:,} frames of {people} in {_code(loss.dataset)} ({whose}), in each of which a hand was found: "
        f"the same letter in {loss.same:.2%}, probabilities at most {loss.biggest:.2g} apart; {loss.before:.2%} right "
        f"before, {loss.after:.2%} after."
    )


def _in_and_out(contract: PreprocessConfig, many: str) -> str:
    shape = ", ".join(map(str, contract.shape))
    size = f"{contract.size}×{contract.size}"
    crop = f"the hand's {size} grey crop, 0–1, as `aslkit.vision.preprocess.pixel_features` makes it"
    points = "numbers that `aslkit.vision.preprocess.landmark_features` makes of a hand's 21 landmarks"
    what = points if contract.kind == "landmarks" else crop
    return (
        f"Input `input`, float32 ({many}, {shape}): {what}. Output `probabilities`, "
        f"float32 ({many}, {len(contract.letters)}), in the order {_code(' '.join(contract.letters))}."
    )


def _sure(contract: PreprocessConfig) -> str:
    return (
        "The probabilities are the network's own. Divide their logarithms by the contract's temperature "
        f"({contract.temperature:.4g}) and let them sum to one again: then they are as sure as they are right. Below "
        f"its threshold ({contract.threshold:.4g}) say no letter."
    )


def _seen(loss: Fidelity | None) -> str:
    if loss is None or loss.xnnpack_same is None:
        return ""
    return f"Where this was exported, XNNPACK gave the same letter in {loss.xnnpack_same:.2%}.\n"


def _code(text: str) -> str:
    """Text that is shown as it is, whatever it is."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"
