"""The charts of a run as PNG files: loss and accuracy, confusion matrix, calibration, learning curve."""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.formats.prediction_metrics import Reliability
from aslkit.formats.run_metrics import LearningCurve, RunMetrics
from aslkit.train.evaluation.predictions import Predictions, confusion_matrix
from aslkit.train.reporting.summary_text import describe_test_set

_BLUE: Final = "#1f5fa8"
_ORANGE: Final = "#d9730d"
_GREY: Final = "#9aa5b1"


def draw_charts(
    folder: Path, metrics: RunMetrics, history: list[dict[str, float]], predictions: Predictions
) -> list[Path]:
    """Draw all charts for which there is data, and return their files.

    Args:
        folder: folder of the run.
        metrics: content of metrics.json.
        history: one row per epoch; empty for an evaluation.
        predictions: predictions on the test set.
    """
    charts = [folder / "confusion_matrix.png"]
    title = f"{describe_test_set(metrics)}; share of each letter's frames, %"
    draw_confusion(charts[0], confusion_matrix(predictions), title)
    if history:
        charts.append(folder / "curves.png")
        draw_curves(charts[-1], history)
    if metrics.rejection:
        charts.append(folder / "calibration.png")
        _draw_calibration(charts[-1], metrics.rejection.reliability)
    if metrics.curve:
        charts.append(folder / "learning_curve.png")
        _draw_learning_curve(charts[-1], metrics.curve)
    return charts


def draw_curves(path: Path, history: list[dict[str, float]]) -> None:
    """Draw loss and accuracy per epoch as PNG."""
    from matplotlib.figure import Figure

    # Figure instead of pyplot, which keeps all figures in memory and may choose a backend that needs a display.
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axes, name, title in zip(figure.subplots(1, 2), ("loss", "accuracy"), ("Loss", "Accuracy"), strict=True):
        axes.plot(epochs, [row[name] for row in history], color=_BLUE, label="train (augmented)")
        if f"val_{name}" in history[0]:
            axes.plot(epochs, [row[f"val_{name}"] for row in history], color=_ORANGE, label="validation")
        axes.set(title=title, xlabel="epoch")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=130)


def _draw_learning_curve(path: Path, curve: LearningCurve) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, points, label in ((left, curve.signers, "training signers"), (right, curve.images, "training images")):
        for point in points:
            axes.scatter([point.n] * len(point.accuracies), point.accuracies, color=_GREY, s=14)
        axes.plot([point.n for point in points], [point.mean for point in points], color=_BLUE, marker="o")
        axes.set(xlabel=label)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    left.set(ylabel="accuracy on held-out signers", ylim=(0, 1.02))
    left.xaxis.get_major_locator().set_params(integer=True)
    right.set_xscale("log")
    figure.savefig(path, dpi=130)


def _draw_calibration(path: Path, reliability: Reliability) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, label="perfectly calibrated")
    bins, total = reliability.bins, sum(each.n for each in reliability.bins) or 1
    confidence, accuracy = [each.confidence for each in bins], [each.accuracy for each in bins]
    axes.plot(confidence, accuracy, color=_BLUE, linewidth=1.5)
    axes.scatter(confidence, accuracy, s=[20 + 400 * each.n / total for each in bins], color=_BLUE, label="model")
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.03), ylim=(0, 1.03))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", markerscale=0.5)
    figure.savefig(path, dpi=130)


def draw_confusion(path: Path, table: npt.NDArray[np.int64], title: str) -> None:
    """Draw a confusion matrix as PNG, in percent of each row. Rows: signed letter; columns: predicted letter."""
    from matplotlib.figure import Figure

    signed = table.sum(axis=1)
    rows = np.flatnonzero(signed)
    shares = table[rows] / signed[rows, None]
    names = [*LETTERS, "no hand"][: table.shape[1]]
    figure = Figure(figsize=(10, 0.36 * max(len(rows), 4) + 1.6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(names)), names, rotation=0)
    if len(names) > len(LETTERS):
        axes.get_xticklabels()[-1].set(rotation=90, va="top")
    axes.set_yticks(range(len(rows)), [LETTERS[row] for row in rows])
    axes.set(xlabel="predicted", ylabel="signed")
    axes.set_title(title, loc="left")
    for row, column in np.argwhere(shares >= 0.005):
        share = shares[row, column]
        colour = "white" if share > 0.5 else "black"
        axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=8, color=colour)
    figure.savefig(path, dpi=130)
