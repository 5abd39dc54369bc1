"""The leaderboard of a benchmark: what each model is worth over its seeds, as a table, a page and figures."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aslkit.core.files import write_text
from aslkit.core.letters import LETTERS
from aslkit.formats.run_folder import METRICS_FILE
from aslkit.train.reporting.report import draw_confusion, draw_curves, load_template
from aslkit.train.reporting.tables import markdown_table, write_rows


@dataclass(frozen=True, kw_only=True)
class LeaderboardRow:
    """One model, over all its seeds.

    Attributes:
        name, architecture, feature, engine, ranks: what was trained, and how.
        seeds: how many trainings.
        official_test, official_test_sd: accuracy, mean and standard deviation (0 for one seed).
        macro_f1: mean, on the official test.
        worst_letter, worst_letter_accuracy: of the official test, over all seeds.
        grouped_validation: mean accuracy on photographs that were not trained on; models are chosen by it.
        random_split: accuracy on the reference study's own protocol, which leaks; None where it was not asked for.
        fit_s, epoch_s, predict_ms, size_bytes: medians; predict_ms is for one image of many.
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


def leaderboard_rows(models: Sequence[dict[str, Any]]) -> list[LeaderboardRow]:
    """Sum the entries of metrics.json up, a row a model, the best on the grouped validation first."""
    names = dict.fromkeys(entry["name"] for entry in models)
    found = [_row([entry for entry in models if entry["name"] == name]) for name in names]
    return sorted(found, key=lambda row: -row.grouped_validation)


def _row(entries: list[dict[str, Any]]) -> LeaderboardRow:
    first = entries[0]
    tests = [entry["official_test"]["accuracy"] for entry in entries]
    table = total_confusion(entries)
    shares = table.diagonal() / np.maximum(table.sum(axis=1), 1)
    worst = int(np.argmin(shares))
    timed = [entry["epoch_s"] for entry in entries if entry["epoch_s"] is not None]
    return LeaderboardRow(
        name=first["name"],
        architecture=first["architecture"],
        feature=first["feature"],
        official_test=float(np.mean(tests)),
        official_test_sd=float(np.std(tests, ddof=1)) if len(tests) > 1 else 0.0,
        seeds=len(entries),
        macro_f1=float(np.mean([entry["official_test"]["macro_f1"] for entry in entries])),
        worst_letter=LETTERS[worst],
        worst_letter_accuracy=float(shares[worst]),
        grouped_validation=float(np.mean([entry["grouped_validation"]["accuracy"] for entry in entries])),
        random_split=first["random_split"] and first["random_split"]["accuracy"],
        fit_s=float(np.median([entry["fit_s"] for entry in entries])),
        epoch_s=float(np.median(timed)) if timed else None,
        predict_ms=float(np.median([entry["predict_ms"] for entry in entries])),
        size_bytes=int(np.median([entry["size_bytes"] for entry in entries])),
        engine=first["engine"],
        ranks=first["ranks"],
    )


def total_confusion(entries: Sequence[dict[str, Any]]) -> Any:
    """What was said (columns) for what was signed (rows) on the official test, over all seeds: int64 (24, 24)."""
    return np.sum([entry["confusion"] for entry in entries], axis=0)


def best_pixel_model(models: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The model that sees pixels and does best on the grouped validation: what a custom dataset starts from."""
    pixels = [row for row in leaderboard_rows(models) if row.feature.startswith("pixels")]
    if not pixels:
        return None
    top = pixels[0]
    entry = next(entry for entry in models if entry["name"] == top.name)
    return {
        "name": top.name,
        "architecture": top.architecture,
        "network": entry["network"],
        "feature": top.feature,
        "model": f"models/{top.name}",
        "chosen_by": "grouped_validation",
        "grouped_validation": top.grouped_validation,
    }


def write_leaderboard(folder: Path, metrics: dict[str, Any]) -> None:
    """Write leaderboard.csv and .md, report.html with its pictures, and last metrics.json into a run's folder."""
    table = leaderboard_rows(metrics["models"])
    write_rows(folder / "leaderboard.csv", [asdict(row) for row in table])
    write_text(folder / "leaderboard.md", _markdown(table))
    drawn = {}
    for row in table:
        entries = [entry for entry in metrics["models"] if entry["name"] == row.name]
        draw_confusion(folder / f"confusion-{row.name}.png", total_confusion(entries), f"{row.name}, official test, %")
        drawn[row.name] = bool(entries[0]["history"])
        if drawn[row.name]:
            draw_curves(folder / f"curves-{row.name}.png", entries[0]["history"])
    page = load_template(
        "benchmark/leaderboard.html.j2", precise=format_precise, bytes=format_bytes, spread=format_spread
    )
    write_text(folder / "report.html", page.render(rows=table, metrics=metrics, curves=drawn))
    write_text(folder / METRICS_FILE, json.dumps(metrics, indent=2) + "\n")


def format_spread(row: LeaderboardRow) -> str:
    """Official test as people read it: mean, and standard deviation where there is one, in percent."""
    if row.seeds == 1:
        return format_precise(row.official_test)
    return f"{format_precise(row.official_test)} ± {100 * row.official_test_sd:.2f}"


def format_precise(share: float | None) -> str:
    """A share to a hundredth of a percent: the best models differ by that; never rounded up to 100."""
    if share is None:
        return "–"
    return f"{min(share, 0.9999 if share < 1 else 1):.2%}"


def format_bytes(size: int) -> str:
    """A size as people read it."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.0f} kB"


def _markdown(table: list[LeaderboardRow]) -> str:
    head = (
        "model", "feature", "official test", "macro F1", "worst letter", "grouped validation", "random split (leaks)",
        "seeds", "fit, s", "predict, ms", "size", "engine",
    )  # fmt: skip
    cells = [
        (
            row.name, row.feature, format_spread(row), f"{row.macro_f1:.4f}",
            f"{row.worst_letter} {format_precise(row.worst_letter_accuracy)}", format_precise(row.grouped_validation),
            format_precise(row.random_split), str(row.seeds), f"{row.fit_s:.0f}", f"{row.predict_ms:.3f}",
            format_bytes(row.size_bytes), f"{row.engine}, {row.ranks} rank{'s' if row.ranks > 1 else ''}",
        )
        for row in table
    ]  # fmt: skip
    return markdown_table(head, cells)
