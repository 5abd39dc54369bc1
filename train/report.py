"""Pictures and the page of a run: what to expect of strangers first, what flatters beside it."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from jinja2 import Environment, PackageLoader, StrictUndefined

from aslkit.files import write_text
from aslkit.letters import LETTERS
from aslkit.train.evaluate import Answers, confusion
from aslkit.train.words import headline

_BLUE: Final = "#1f5fa8"
_ORANGE: Final = "#d9730d"


def write(folder: Path, *, metrics: dict[str, Any], history: list[dict[str, float]], answers: Answers) -> None:
    """Write curves.png, confusion_matrix.png and report.html into a run's folder."""
    curves(folder / "curves.png", history)
    draw_confusion(
        folder / "confusion_matrix.png",
        confusion(answers),
        f"Held out by {metrics['unseen']['by']}: share of each letter's frames, %",
    )
    environment = Environment(
        loader=PackageLoader("aslkit.train", "."),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    page = environment.get_template("report.html.j2").render(metrics=metrics, headline=headline(metrics))
    write_text(folder / "report.html", page)


def percent(share: float | None) -> str:
    """A share as people read it, to a tenth of a percent; never rounded up to 100."""
    if share is None:
        return "–"
    return f"{min(share, 0.999 if share < 1 else 1):.1%}"


def curves(path: Path, history: list[dict[str, float]]) -> None:
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
