"""Pictures and the page of a run: what to expect of strangers first, what flatters beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from aslkit.core.files import write_text
from aslkit.core.letters import LETTERS
from aslkit.train.evaluation.confusions import example_keys, list_mistakes
from aslkit.train.evaluation.learning_curve import describe_curve
from aslkit.train.evaluation.predictions import Predictions, confusion_matrix
from aslkit.train.evaluation.signer_outliers import ADVICE
from aslkit.train.reporting.summary_text import (
    describe_false_letters,
    describe_synthetic,
    describe_transfer,
    headline,
    headline_accuracy,
)
from aslkit.train.reporting.thumbnails import thumbnails

_BLUE: Final = "#1f5fa8"
_ORANGE: Final = "#d9730d"


def write_report(
    folder: Path,
    *,
    metrics: dict[str, Any],
    history: list[dict[str, float]],
    answers: Predictions,
    dataset: Path,
) -> None:
    """Write curves.png, confusion_matrix.png, calibration.png and report.html into a run's folder.

    Args:
        folder: of the run, or of one of its evaluations.
        metrics: as metrics.json has them.
        history: a row an epoch; none where nothing was trained.
        answers: on people not trained on.
        dataset: the folder of the dataset that `answers` are about, from which the small pictures come.
    """
    if history:
        draw_curves(folder / "curves.png", history)
    draw_confusion(
        folder / "confusion_matrix.png",
        confusion_matrix(answers),
        f"Held out by {metrics['unseen']['by']}: share of each letter's frames, %",
    )
    _calibration(folder / "calibration.png", metrics["rejection"]["reliability"])
    if "curve" in metrics:
        _learning(folder / "learning_curve.png", metrics["curve"])
    behind = list_mistakes(answers)
    shown = [each | {"keys": example_keys(behind, each["signed"], each["said"])} for each in metrics["mistakes"]]
    keys = {key for each in shown for key in each["keys"]}
    keys |= {key for group in metrics["confusable"] for pair in group["pairs"] for key in pair["examples"]}
    keys |= {form[name] for form in metrics["forms"] for name in ("key", "other_key")}
    page = load_template("reporting/report.html.j2").render(
        metrics=metrics,
        headline=headline(metrics) | {"figure": headline_accuracy(metrics)},
        mistakes=shown,
        pictures=thumbnails(dataset, keys),
        said={each.key: f"{each.signed} taken for {each.predicted}, {each.signer}" for each in behind},
        trained=bool(history),
        advice=ADVICE,
        begun=describe_transfer(metrics),
        synthetic=describe_synthetic(metrics),
        false_letters=describe_false_letters(metrics["rejection"]),
        curve_words=describe_curve(metrics["curve"]) if "curve" in metrics else "",
    )
    write_text(folder / "report.html", page)


def load_template(name: str, **filters: Callable[[Any], str]) -> Template:
    """A page of this package, which escapes what it is given; it knows the filter `percent`, and those given."""
    environment = Environment(
        loader=PackageLoader("aslkit.train", "."),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, **filters}
    return environment.get_template(name)


def percent(share: float | None) -> str:
    """A share as people read it, to a tenth of a percent; never rounded up to 100."""
    if share is None:
        return "–"
    return f"{min(share, 0.999 if share < 1 else 1):.1%}"


def draw_curves(path: Path, history: list[dict[str, float]]) -> None:
    """Draw loss and accuracy by epoch, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axes, name, title in zip(figure.subplots(1, 2), ("loss", "accuracy"), ("Loss", "Accuracy"), strict=True):
        axes.plot(epochs, [row[name] for row in history], color=_BLUE, label="train (varied copies)")
        if f"val_{name}" in history[0]:
            axes.plot(epochs, [row[f"val_{name}"] for row in history], color=_ORANGE, label="validation")
        axes.set(title=title, xlabel="epoch")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=130)


def _learning(path: Path, found: dict[str, Any]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, name, label in ((left, "signers", "people learned from"), (right, "images", "images learned from")):
        points = found[name]
        for one in points:
            axes.scatter([one["n"]] * len(one["each"]), one["each"], color="#9aa5b1", s=14)
        axes.plot([one["n"] for one in points], [one["mean"] for one in points], color=_BLUE, marker="o")
        axes.set(xlabel=label)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    left.set(ylabel="right on people left out", ylim=(0, 1.02))
    left.xaxis.get_major_locator().set_params(integer=True)
    right.set_xscale("log")
    figure.savefig(path, dpi=130)


def _calibration(path: Path, found: dict[str, Any]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#9aa5b1", linewidth=1, label="as sure as right")
    bins, total = found["bins"], sum(each["n"] for each in found["bins"]) or 1
    axes.plot([each["sure"] for each in bins], [each["right"] for each in bins], color=_BLUE, linewidth=1.5)
    sizes = [20 + 400 * each["n"] / total for each in bins]
    axes.scatter([each["sure"] for each in bins], [each["right"] for each in bins], s=sizes, color=_BLUE, label="model")
    axes.set(xlabel="how sure it was", ylabel="share that was right", xlim=(0, 1.03), ylim=(0, 1.03))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", markerscale=0.5)
    figure.savefig(path, dpi=130)


def draw_confusion(path: Path, table: npt.NDArray[np.int64], title: str) -> None:
    """Draw what `evaluate.confusion` counts, in percent of each letter signed, as PNG."""
    from matplotlib.figure import Figure

    signed = table.sum(axis=1)
    rows = np.flatnonzero(signed)
    shares = table[rows] / signed[rows, None]
    said = [*LETTERS, "no hand"][: table.shape[1]]
    figure = Figure(figsize=(10, 0.36 * max(len(rows), 4) + 1.6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(said)), said, rotation=0)
    if len(said) > len(LETTERS):
        axes.get_xticklabels()[-1].set(rotation=90, va="top")
    axes.set_yticks(range(len(rows)), [LETTERS[row] for row in rows])
    axes.set(xlabel="said", ylabel="signed")
    axes.set_title(title, loc="left")
    for row, column in np.argwhere(shares >= 0.005):
        share = shares[row, column]
        colour = "white" if share > 0.5 else "black"
        axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=8, color=colour)
    figure.savefig(path, dpi=130)
