"""Taking a trained model elsewhere: one folder with the model, its contract inside, an example and a README."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from aslkit import __version__
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import atomic_write, folder_size, write_text
from aslkit.datasets.exporters.destination import MARKER_FILE, check_destination
from aslkit.formats.run_metrics import read_training_signers
from aslkit.inference.load_model import load_network
from aslkit.inference.network import Network
from aslkit.live.export import readme, to_browser_page, to_onnx, to_saved_model, to_tflite
from aslkit.live.export.fidelity import CALIBRATED, MEASURED, Fidelity, measure_fidelity
from aslkit.live.export.sample_frames import draw_calibration_frames, draw_test_frames
from aslkit.vision.preprocess import CONTRACT_FILE, Array, PreprocessConfig

TOLERANCE: Final = 1e-4
"""By which a probability may differ between an export that is not quantised and the network."""

_EXAMPLES: Final = Path(__file__).parent / "examples"


@dataclass(frozen=True, kw_only=True)
class ExportJob:
    """What to export.

    Attributes:
        run: its folder.
        network, contract: what is in it.
        trained_on: signers it learned from.
        quantize: of TensorFlow Lite.
        dataset: to calibrate and measure with, if any.
        seed: of the draw of frames.
    """

    run: Path
    network: Network
    contract: PreprocessConfig
    trained_on: set[str]
    quantize: to_tflite.Quantize = "none"
    dataset: Path | None = None
    seed: int = 0

    @property
    def contract_file(self) -> Path:
        """The contract's file in the run."""
        return self.run / "model" / CONTRACT_FILE


@dataclass(frozen=True, kw_only=True)
class ModelExport:
    """What was written.

    Attributes:
        format: one of FORMATS.
        quantize: "none", "float16" or "int8".
        to: the folder.
        size: bytes of the model.
        loss: what was measured, if a dataset was given.
    """

    format: str
    quantize: str
    to: Path
    size: int
    loss: Fidelity | None


def export_model(
    run: Path,
    *,
    format: str,
    into: Path | None = None,
    quantize: to_tflite.Quantize = "none",
    dataset: Path | None = None,
    force: bool = False,
) -> ModelExport:
    """Export the model of a run, whole or not at all.

    Args:
        run: its folder.
        format: one of FORMATS.
        into: the folder to write, RUN/exports/FORMAT where None; an earlier export there is replaced.
        quantize: for TensorFlow Lite.
        dataset: folder of a dataset, whose train frames calibrate int8, and on whose other people the loss is measured.
        force: replace what is there though it is no export.

    Raises:
        InputError: no run or dataset there, an unknown format, options that do not go together, or `into` is taken.
        AslkitError: run or dataset are damaged, a library is missing, or the export says something else than the model.
    """
    if format not in FORMATS:
        raise InputError(f"There is no format {format!r}. Known: {', '.join(FORMATS)}.")
    _check(format, quantize, dataset)
    network, contract = load_network(run)
    job = ExportJob(
        run=run, network=network, contract=contract, trained_on=read_training_signers(run), quantize=quantize, dataset=dataset
    )  # fmt: skip
    to = into or run / "exports" / (format if quantize == "none" else f"{format}-{quantize}")
    check_destination(to, run, source_kind="run", option="--into", within=run / "exports", force=force)
    with atomic_write(to) as new:
        new.mkdir(parents=True)
        lost = FORMATS[format](job, new)
        exported = ModelExport(format=format, quantize=quantize, to=to, size=_model_bytes(new), loss=lost)
        write_text(new / "README.md", readme.render_readme(exported, run=run, contract=contract))
        mark = {"aslkit": __version__, "format": format, "quantize": quantize, "run": run.absolute().name}
        write_text(new / MARKER_FILE, json.dumps(mark | {"loss": asdict(lost) if lost else None}) + "\n")
    return exported


def _to_tflite(job: ExportJob, to: Path) -> Fidelity | None:
    calibration = None
    if job.quantize == "int8" and job.dataset:
        calibration = draw_calibration_frames(
            job.dataset, job.contract, trained_on=job.trained_on, most=CALIBRATED, rng=np.random.default_rng(job.seed)
        ).inputs
    made = to_tflite.convert_to_tflite(job.network, quantize=job.quantize, calibration=calibration)
    if job.quantize == "none":
        _compare(job.network, lambda inputs: to_tflite.predict_tflite(made, inputs))
    to_tflite.write_tflite(to / "model.tflite", made, job.contract_file)
    shutil.copy(_EXAMPLES / "example_tflite.py", to / "example.py")
    if job.dataset is None:
        return None
    frames = draw_test_frames(
        job.dataset, job.contract, trained_on=job.trained_on, most=MEASURED, rng=np.random.default_rng(job.seed)
    )
    return measure_fidelity(
        job.network,
        lambda inputs: to_tflite.predict_tflite(made, inputs),
        frames,
        dataset=job.dataset,
        trained_on=job.trained_on,
        xnnpack=lambda inputs: to_tflite.predict_tflite(made, inputs, delegate=True),
    )


def _to_onnx(job: ExportJob, to: Path) -> None:
    path = to / "model.onnx"
    contract = job.contract_file.read_text(encoding="utf-8")
    to_onnx.write_onnx(
        path, job.network, contract=contract, about={"aslkit": __version__, "run": job.run.absolute().name}
    )
    _compare(job.network, lambda inputs: to_onnx.predict_onnx(path, inputs))
    shutil.copy(_EXAMPLES / "example_onnx.py", to / "example.py")


def _to_saved_model(job: ExportJob, to: Path) -> None:
    to_saved_model.write_saved_model(to / "model", job.network, job.contract_file)
    _compare(job.network, lambda inputs: to_saved_model.predict_saved_model(to / "model", inputs))
    shutil.copy(_EXAMPLES / "example_saved_model.py", to / "example.py")


def _to_page(job: ExportJob, to: Path) -> None:
    to_browser_page.write_page(to, job.network, job.contract, name=job.run.absolute().name)


FORMATS: Final[dict[str, Callable[[ExportJob, Path], Fidelity | None]]] = {
    "tflite": _to_tflite,
    "onnx": _to_onnx,
    "saved-model": _to_saved_model,
    "page": _to_page,
}


def _compare(network: Network, says: Callable[[Array], Array]) -> None:
    """Raise where an export says something else than the network: it is not handed on then."""
    inputs = np.random.default_rng(0).normal(0, 1, (4, *network.shape)).astype(np.float32)
    if (off := float(np.abs(network(inputs) - says(inputs)).max())) > TOLERANCE:
        raise AslkitError(f"The export says something else than the model (by {off:.2g}). Please report this.")


def _check(format: str, quantize: str, dataset: Path | None) -> None:
    if format != "tflite" and (quantize != "none" or dataset):
        raise InputError(f"--quantize and --dataset go with --to tflite; --to {format} keeps all digits.")
    if quantize not in to_tflite.QUANTIZE:
        raise InputError(f"There is no --quantize {quantize!r}. Known: {', '.join(to_tflite.QUANTIZE)}.")
    if quantize == "int8" and dataset is None:
        raise InputError(
            "--quantize int8 takes its ranges from real frames, and tells what it loses on others. Name a dataset: "
            "--dataset custom"
        )


def _model_bytes(folder: Path) -> int:
    beside = sum(path.stat().st_size for path in folder.glob("example.py"))
    return folder_size(folder) - beside
