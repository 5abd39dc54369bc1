"""The leaderboard of a benchmark: metrics of each model over its seeds, as tables, charts and report.html."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from aslkit.core.files import write_text
from aslkit.core.letters import LETTERS
from aslkit.core.sanitize import load_html_template
from aslkit.formats.benchmark_metrics import BenchmarkMetrics, BestModel, ModelMetrics
from aslkit.formats.run_folder import METRICS_FILE
from aslkit.train.benchmark.ensemble import ENSEMBLE
from aslkit.train.reporting.charts import draw_confusion, draw_curves
from aslkit.train.reporting.tables import markdown_table, write_rows


@dataclass(frozen=True, kw_only=True)
class LeaderboardRow:
    """One model, over all its seeds.

    Attributes:
        name, architecture, feature, engine, ranks: of the model and its training.
        official_test, official_test_sd: mean and standard deviation (0 for one seed) of the accuracy on the test split.
        seeds: number of trainings.
        macro_f1: mean macro F1 on the test split.
        worst_letter, worst_letter_accuracy: letter of the lowest accuracy on the test split, over all seeds.
        grouped_validation: mean accuracy on photographs that were not trained on; models are selected by it.
        random_split: accuracy on a random split, as in the reference study, with data leakage; None if not measured.
        fit_s, epoch_s, predict_ms, size_bytes: medians. `epoch_s` is None for models without epochs; `predict_ms` is
            the time per image when predicting many.
    """

    name: str
    architecture: str
    feature: str
    official_test: float
    official_test_sd: float
    seeds: int
    macro_f1: float
    worst_letter: str
    worst_letter_accuracy: float
    grouped_validation: float
    random_split: float | None
    fit_s: float
    epoch_s: float | None
    predict_ms: float
    size_bytes: int
    engine: str
    ranks: int


def leaderboard_rows(models: Sequence[ModelMetrics]) -> list[LeaderboardRow]:
    """Summarise the model entries of metrics.json in one row per model, best grouped validation first."""
    names = dict.fromkeys(entry.name for entry in models)
    rows = [_build_row([entry for entry in models if entry.name == name]) for name in names]
    return sorted(rows, key=lambda row: -row.grouped_validation)


def _build_row(entries: list[ModelMetrics]) -> LeaderboardRow:
    first = entries[0]
    tests = [entry.official_test.accuracy for entry in entries]
    confusion = total_confusion(entries)
    accuracies = confusion.diagonal() / np.maximum(confusion.sum(axis=1), 1)
    worst = int(np.argmin(accuracies))
    epoch_s = [entry.epoch_s for entry in entries if entry.epoch_s is not None]
    return LeaderboardRow(
        name=first.name,
        architecture=first.architecture,
        feature=first.feature,
        official_test=float(np.mean(tests)),
        official_test_sd=float(np.std(tests, ddof=1)) if len(tests) > 1 else 0.0,
        seeds=len(entries),
        macro_f1=float(np.mean([entry.official_test.macro_f1 for entry in entries])),
        worst_letter=LETTERS[worst],
        worst_letter_accuracy=float(accuracies[worst]),
        grouped_validation=float(np.mean([entry.grouped_validation.accuracy for entry in entries])),
        random_split=first.random_split.accuracy if first.random_split else None,
        fit_s=float(np.median([entry.fit_s for entry in entries])),
        epoch_s=float(np.median(epoch_s)) if epoch_s else None,
        predict_ms=float(np.median([entry.predict_ms for entry in entries])),
        size_bytes=int(np.median([entry.size_bytes for entry in entries])),
        engine=first.engine,
        ranks=first.ranks,
    )


def total_confusion(entries: Sequence[ModelMetrics]) -> Any:
    """Sum the confusion matrices on the test split over all seeds, int64 (24, 24), rows signed, columns predicted."""
    return np.sum([entry.confusion for entry in entries], axis=0)


def best_pixel_model(models: Sequence[ModelMetrics]) -> BestModel | None:
    """Return the pixel model with the best grouped validation, which provides initial weights; None without one.

    An ensemble cannot provide them, because it consists of several networks.
    """
    rows = leaderboard_rows([entry for entry in models if entry.engine != ENSEMBLE])
    pixels = [row for row in rows if row.feature.startswith("pixels")]
    if not pixels:
        return None
    best = pixels[0]
    entry = next(entry for entry in models if entry.name == best.name)
    return BestModel(
        name=best.name,
        architecture=best.architecture,
        network=entry.network,
        feature=best.feature,
        model=f"models/{best.name}",
        grouped_validation=best.grouped_validation,
    )


def write_leaderboard(folder: Path, metrics: BenchmarkMetrics) -> None:
    """Write leaderboard.csv, leaderboard.md, report.html with its charts and, last, metrics.json."""
    rows = leaderboard_rows(metrics.models)
    write_rows(folder / "leaderboard.csv", [asdict(row) for row in rows])
    write_text(folder / "leaderboard.md", _render_markdown(rows))
    has_curves = {}
    for row in rows:
        entries = [entry for entry in metrics.models if entry.name == row.name]
        draw_confusion(folder / f"confusion-{row.name}.png", total_confusion(entries), f"{row.name}, official test, %")
        has_curves[row.name] = bool(entries[0].history)
        if has_curves[row.name]:
            draw_curves(folder / f"curves-{row.name}.png", entries[0].history)
    template = load_html_template(
        "aslkit.train.benchmark",
        "leaderboard.html.j2",
        precise=format_precise,
        bytes=format_bytes,
        spread=format_spread,
    )
    write_text(folder / "report.html", template.render(rows=rows, metrics=metrics, curves=has_curves))
    write_text(folder / METRICS_FILE, msgspec.json.format(msgspec.json.encode(metrics), indent=2).decode() + "\n")


def format_spread(row: LeaderboardRow) -> str:
    """Format the accuracy on the test split in percent: mean, and standard deviation if there are several seeds."""
    if row.seeds == 1:
        return format_precise(row.official_test)
    return f"{format_precise(row.official_test)} ± {100 * row.official_test_sd:.2f}"


def format_precise(share: float | None) -> str:
    """Format a share in percent with two decimals, which tell the best models apart; never rounded up to 100."""
    if share is None:
        return "–"
    return f"{min(share, 0.9999 if share < 1 else 1):.2%}"


def format_bytes(size: int) -> str:
    """Format a size in kB or MB."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.0f} kB"


def _render_markdown(rows: list[LeaderboardRow]) -> str:
    head = (
        "model", "feature", "official test", "macro F1", "worst letter", "grouped validation",
        "random split (optimistic)", "seeds", "fit, s", "predict, ms", "size", "engine",
    )  # fmt: skip
    cells = [
        (
            row.name, row.feature, format_spread(row), f"{row.macro_f1:.4f}",
            f"{row.worst_letter} {format_precise(row.worst_letter_accuracy)}", format_precise(row.grouped_validation),
            format_precise(row.random_split), str(row.seeds), f"{row.fit_s:.0f}", f"{row.predict_ms:.3f}",
            format_bytes(row.size_bytes), f"{row.engine}, {row.ranks} rank{'s' if row.ranks > 1 else ''}",
        )
        for row in rows
    ]  # fmt: skip
    return markdown_table(head, cells)
