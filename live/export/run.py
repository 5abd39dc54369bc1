"""Exports a trained model to a folder with the model, its contract, an example program and a README."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from aslkit import __version__
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import atomic_write, folder_size, write_text
from aslkit.datasets.exporters.destination import MARKER_FILE, check_destination
from aslkit.formats.run_metrics import read_training_letters, read_training_signers
from aslkit.inference.load_model import load_motion_network, load_network
from aslkit.inference.network import Network
from aslkit.live.export import readme, to_browser_page, to_onnx, to_saved_model, to_tflite
from aslkit.live.export.fidelity import MAX_CALIBRATION_FRAMES, MAX_TEST_FRAMES, Fidelity, Predict, measure_fidelity
from aslkit.live.export.result import ModelExport
from aslkit.live.export.sample_frames import draw_calibration_frames, draw_test_frames
from aslkit.vision.preprocess import CONTRACT_FILE, PreprocessConfig

TOLERANCE: Final = 1e-4
"""Allowed difference of probabilities between the network and an export that is not quantised."""

_EXAMPLES_FOLDER: Final = Path(__file__).parent / "examples"


@dataclass(frozen=True, kw_only=True)
class ExportJob:
    """The model to export, and the options.

    Attributes:
        run: run folder.
        network: network of the run.
        contract: contract of the run.
        motion: network of the run that recognises drawn letters; None if it has none.
        trained_on: signers that the network was trained on.
        quantize: quantisation of TensorFlow Lite.
        dataset: dataset for calibration and measurement; None for neither.
        seed: seed for drawing frames of the dataset.
    """

    run: Path
    network: Network
    contract: PreprocessConfig
    motion: Network | None
    trained_on: set[str]
    quantize: to_tflite.Quantize = "none"
    dataset: Path | None = None
    seed: int = 0

    @property
    def contract_file(self) -> Path:
        """File of the contract in the run folder."""
        return self.run / "model" / CONTRACT_FILE

    @property
    def networks(self) -> dict[str, Network]:
        """Networks to write, by the name of their file."""
        return {"model": self.network} | ({"motion": self.motion} if self.motion is not None else {})


def export_model(
    run: Path,
    *,
    format: str,
    into: Path | None = None,
    exports: Path | None = None,
    quantize: to_tflite.Quantize = "none",
    dataset: Path | None = None,
    force: bool = False,
) -> ModelExport:
    """Export the model of a run atomically.

    Args:
        run: run folder.
        format: key of FORMATS.
        into: folder to write; None for EXPORTS/FORMAT. An earlier export in this folder is replaced.
        exports: folder of the run's exports; None for RUN/exports.
        quantize: quantisation of TensorFlow Lite.
        dataset: dataset folder. Training signers calibrate int8, and unseen signers measure the loss of accuracy.
        force: replace the folder even if it was not created by an export.

    Raises:
        InputError: the run or dataset does not exist, the format is unknown, the options cannot be combined, or the
            folder must not be replaced.
        AslkitError: the run or dataset is damaged, a library is missing, or the export computes other probabilities
            than the network.
    """
    if format not in FORMATS:
        raise InputError(f"Unknown format {format!r}. Choose one of {', '.join(FORMATS)}.")
    _check_options(format, quantize, dataset)
    network, contract = load_network(run)
    job = ExportJob(
        run=run,
        network=network,
        contract=contract,
        motion=load_motion_network(run, contract),
        trained_on=read_training_signers(run),
        quantize=quantize,
        dataset=dataset,
    )
    exports = exports or run / "exports"
    to = into or exports / (format if quantize == "none" else f"{format}-{quantize}")
    check_destination(to, run, source_kind="run", option="--into", within=exports, force=force)
    with atomic_write(to) as folder:
        folder.mkdir(parents=True)
        fidelity = FORMATS[format](job, folder)
        exported = ModelExport(format=format, quantize=quantize, to=to, size=_model_bytes(folder), loss=fidelity)
        trained_letters = read_training_letters(run)
        text = readme.render_readme(
            exported, run=run, contract=contract, motion=job.motion is not None, trained_letters=trained_letters
        )
        write_text(folder / "README.md", text)
        marker = {"aslkit": __version__, "format": format, "quantize": quantize, "run": run.absolute().name}
        write_text(folder / MARKER_FILE, json.dumps(marker | {"loss": asdict(fidelity) if fidelity else None}) + "\n")
    return exported


def _export_tflite(job: ExportJob, folder: Path) -> Fidelity | None:
    calibration = None
    if job.quantize == "int8" and job.dataset:
        calibration = draw_calibration_frames(
            job.dataset,
            job.contract,
            trained_on=job.trained_on,
            max_frames=MAX_CALIBRATION_FRAMES,
            rng=np.random.default_rng(job.seed),
        ).inputs
    # Only the network of the letters is quantised: the other one is small, and a dataset may have no movements to
    # calibrate and measure it.
    models = {
        name: to_tflite.convert_to_tflite(
            network, quantize=job.quantize if name == "model" else "none", calibration=calibration
        )
        for name, network in job.networks.items()
    }
    for name, model in models.items():
        # Quantised models differ by design; `measure_fidelity` reports by how much.
        if job.quantize == "none" or name != "model":
            _compare(job.networks[name], partial(to_tflite.predict_tflite, model))
        to_tflite.write_tflite(folder / f"{name}.tflite", model, job.contract_file)
    _copy_examples(job, folder, "tflite")
    return _measure_tflite(job, models["model"])


def _measure_tflite(job: ExportJob, model: bytes) -> Fidelity | None:
    if job.dataset is None:
        return None
    frames = draw_test_frames(
        job.dataset,
        job.contract,
        trained_on=job.trained_on,
        max_frames=MAX_TEST_FRAMES,
        rng=np.random.default_rng(job.seed),
    )
    return measure_fidelity(
        job.network,
        partial(to_tflite.predict_tflite, model),
        frames,
        dataset=job.dataset,
        trained_on=job.trained_on,
        predict_xnnpack=partial(to_tflite.predict_tflite, model, delegate=True),
    )


def _export_onnx(job: ExportJob, folder: Path) -> None:
    contract = job.contract_file.read_text(encoding="utf-8")
    metadata = {"aslkit": __version__, "run": job.run.absolute().name}
    for name, network in job.networks.items():
        path = folder / f"{name}.onnx"
        to_onnx.write_onnx(path, network, contract=contract, metadata=metadata)
        _compare(network, partial(to_onnx.predict_onnx, path))
    _copy_examples(job, folder, "onnx")


def _export_saved_model(job: ExportJob, folder: Path) -> None:
    # TensorFlow takes [ ] * ? in a path for a pattern, so it gets a path without them.
    with TemporaryDirectory() as plain:
        for name, network in job.networks.items():
            model = Path(plain) / name
            to_saved_model.write_saved_model(model, network, job.contract_file)
            _compare(network, partial(to_saved_model.predict_saved_model, model))
            shutil.move(model, folder / name)
    _copy_examples(job, folder, "saved_model")


def _copy_examples(job: ExportJob, folder: Path, format: str) -> None:
    shutil.copy(_EXAMPLES_FOLDER / f"example_{format}.py", folder / "example.py")
    if job.motion is not None:
        shutil.copy(_EXAMPLES_FOLDER / f"example_motion_{format}.py", folder / "example_motion.py")


def _export_page(job: ExportJob, folder: Path) -> None:
    name = job.run.absolute().name
    to_browser_page.write_page(folder, job.network, job.contract, name=name, motion=job.motion)


FORMATS: Final[dict[str, Callable[[ExportJob, Path], Fidelity | None]]] = {
    "tflite": _export_tflite,
    "onnx": _export_onnx,
    "saved-model": _export_saved_model,
    "page": _export_page,
}


def _compare(network: Network, predict_exported: Predict) -> None:
    """Check that an export computes the same probabilities as the network.

    Raises:
        AslkitError: they differ by more than TOLERANCE.
    """
    # Random inputs suffice: the comparison is about the computation, not about accuracy.
    inputs = np.random.default_rng(0).normal(0, 1, (4, *network.shape)).astype(np.float32)
    difference = float(np.abs(network(inputs) - predict_exported(inputs)).max())
    if difference > TOLERANCE:
        raise AslkitError(
            f"The exported model computes other probabilities than the original (difference {difference:.2g}). "
            "Please report this."
        )


def _check_options(format: str, quantize: str, dataset: Path | None) -> None:
    if format != "tflite" and (quantize != "none" or dataset):
        raise InputError(f"--quantize and --dataset require --to tflite; --to {format} is always exact.")
    if quantize not in to_tflite.QUANTIZATIONS:
        raise InputError(
            f"Unknown quantisation {quantize!r}. Choose one of {', '.join(to_tflite.QUANTIZATIONS)} with --quantize."
        )
    if quantize == "int8" and dataset is None:
        raise InputError(
            "--quantize int8 needs a dataset for calibration and measurement. Name one, such as --dataset custom."
        )


def _model_bytes(folder: Path) -> int:
    example_bytes = sum(path.stat().st_size for path in folder.glob("example*.py"))
    return folder_size(folder) - example_bytes
