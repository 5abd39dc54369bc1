"""Write a run folder: model, settings, metrics, charts, report and model card."""

import dataclasses
import json
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import tomli_w
from msgspec.structs import asdict

from aslkit.core.files import write_text
from aslkit.formats.recording_plan import PLAN_FILE
from aslkit.formats.run_folder import LETTERS_FILE, METRICS_FILE, MISTAKES_FILE
from aslkit.formats.run_metrics import RunMetrics
from aslkit.inference.load_model import save_network
from aslkit.inference.network import Network
from aslkit.inference.network_file import write_network
from aslkit.train.config import TrainConfig
from aslkit.train.evaluation.confusions import Mistake, list_mistakes
from aslkit.train.evaluation.predictions import Predictions
from aslkit.train.evaluation.recommendations import plan_to_json
from aslkit.train.fitting.fit import FitResult
from aslkit.train.reporting import report
from aslkit.train.reporting.model_card import CARD_FILE, render_card
from aslkit.train.reporting.tables import write_rows
from aslkit.vision.preprocess import CONTRACT_FILE, MODEL_FILE, MOTION_FILE, PreprocessConfig


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """The content of a run folder.

    Attributes:
        fitted: the network and its history.
        contract: preprocessing of its inputs, temperature and threshold of its outputs.
        config: the settings.
        metrics: content of metrics.json.
        predictions: predictions on the test set.
        motion_network: the network for drawn letters.
    """

    fitted: FitResult
    contract: PreprocessConfig
    config: TrainConfig
    metrics: RunMetrics
    predictions: Predictions
    motion_network: Network


def write_run(folder: Path, run: FinishedRun, *, dataset: Path) -> None:
    """Write all files of a run.

    Args:
        folder: folder to create.
        run: content of the folder.
        dataset: folder of the dataset from which the report's thumbnails are read.
    """
    (folder / "model").mkdir(parents=True)
    run.fitted.model.save(folder / "model" / MODEL_FILE)
    save_network(folder / "model", run.fitted.model)
    run.contract.save(folder / "model" / CONTRACT_FILE)
    write_network(folder / "model" / MOTION_FILE, run.motion_network)
    write_text(folder / "config.toml", tomli_w.dumps({"train": dataclasses.asdict(run.config)}))
    write_text(folder / PLAN_FILE, json.dumps(plan_to_json(run.metrics.record_next), indent=2) + "\n")
    write_rows(folder / "history.csv", run.fitted.history)
    write_metrics(folder, run.metrics, run.predictions)
    write_text(folder / CARD_FILE, render_card(run.metrics))
    report.write_report(
        folder, metrics=run.metrics, history=run.fitted.history, predictions=run.predictions, dataset=dataset
    )


def write_metrics(folder: Path, metrics: RunMetrics, predictions: Predictions) -> None:
    """Write metrics.json, letters.csv, and mistakes.csv with every frame that was predicted wrong."""
    write_text(folder / METRICS_FILE, metrics.to_json())
    letters = [{"letter": letter, **asdict(each)} for letter, each in metrics.unseen.per_letter.items()]
    write_rows(folder / LETTERS_FILE, letters or [{"letter": ""}])
    names = list(Mistake.__dataclass_fields__)
    write_rows(folder / MISTAKES_FILE, [dataclasses.asdict(each) for each in list_mistakes(predictions)], names=names)


def new_folder(runs: Path, name: str) -> Path:
    """Return the path of a new run folder, NAME-1, NAME-2, …; it is not created."""
    return next(folder for number in count(1) if not (folder := runs / f"{name}-{number}").exists())
