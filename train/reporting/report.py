"""report.html of a run, or of an evaluation."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aslkit.core.files import write_text
from aslkit.formats.recording_plan import PlannedLetter
from aslkit.formats.run_metrics import RunMetrics, SignerOutlierMetrics
from aslkit.train.evaluation.confusions import Mistake, example_keys, list_mistakes
from aslkit.train.evaluation.learning_curve import describe_curve
from aslkit.train.evaluation.predictions import Predictions
from aslkit.train.evaluation.recommendations import MAX_PLANNED_LETTERS
from aslkit.train.evaluation.signer_outliers import ADVICE
from aslkit.train.reporting.charts import draw_charts
from aslkit.train.reporting.summary_text import (
    FALSE_LETTERS_EXPLANATION,
    NEGATIVE_KINDS,
    describe_false_letters,
    describe_motion,
    describe_recogniser,
    describe_run,
    describe_synthetic,
    describe_transfer,
    random_split_accuracy,
)
from aslkit.train.reporting.thumbnails import render_thumbnails
from aslkit.web.report_page import render_page


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A thumbnail in the report: key of the frame, what it shows, and a JPEG data URI."""

    key: str
    caption: str
    uri: str


def write_report(
    folder: Path,
    *,
    metrics: RunMetrics,
    history: list[dict[str, float]],
    predictions: Predictions,
    dataset: Path,
) -> None:
    """Write report.html and its charts as PNG, which the page contains as well.

    Args:
        folder: folder of the run, or of one of its evaluations.
        metrics: content of metrics.json.
        history: one row per epoch; empty for an evaluation.
        predictions: predictions on the test set.
        dataset: folder of the dataset from which thumbnails are read.
    """
    charts = draw_charts(folder, metrics, history, predictions)
    mistakes = list_mistakes(predictions)
    page = render_page(
        "aslkit.train.reporting",
        "report.html.j2",
        metrics=metrics,
        rejection=metrics.rejection,
        title=_describe_title(metrics),
        subtitle=_describe_data(metrics),
        summary=describe_run(metrics),
        random_split=None if metrics.evaluated else random_split_accuracy(metrics),
        more_confusions=len({(each.signed, each.predicted) for each in mistakes}) - len(metrics.confusions),
        plan=_group_plan(metrics.record_next[:MAX_PLANNED_LETTERS]),
        more_planned=len(metrics.record_next[MAX_PLANNED_LETTERS:]),
        charts={path.name: _png_data_uri(path) for path in charts},
        trained=bool(history),
        advice=ADVICE,
        transfer=describe_transfer(metrics),
        motion=describe_motion(metrics),
        synthetic=describe_synthetic(metrics),
        false_letters=describe_false_letters(metrics.rejection) if metrics.rejection else "",
        false_letters_explanation=FALSE_LETTERS_EXPLANATION,
        negative_kinds=NEGATIVE_KINDS,
        curve=describe_curve(metrics.curve) if metrics.curve else "",
        **_add_pictures(metrics, mistakes, dataset),
    )
    write_text(folder / "report.html", page)


def _describe_title(metrics: RunMetrics) -> str:
    title = describe_recogniser(metrics)
    return f"{title}, evaluated on {metrics.dataset}" if metrics.evaluated else title


def _describe_data(metrics: RunMetrics) -> str:
    if metrics.evaluated:
        return f"Run {metrics.evaluated.run}"
    return f"{metrics.trained_on.n:,} training frames from the dataset {metrics.dataset}"


def _group_plan(plan: Sequence[PlannedLetter]) -> dict[tuple[str, int, str], list[str]]:
    """Return the letters by signer, number of frames and reason."""
    letters: dict[tuple[str, int, str], list[str]] = {}
    for each in plan:
        letters.setdefault((each.signer or "any", each.frames, each.why), []).append(each.letter)
    return letters


def _add_pictures(metrics: RunMetrics, mistakes: Sequence[Mistake], dataset: Path) -> dict[str, Any]:
    """Return confusions and signer outliers with their thumbnails. No frame is shown twice."""
    confusions = [(each, example_keys(mistakes, each.signed, each.predicted)) for each in metrics.confusions]
    outliers = _merge_outliers(metrics.signer_outliers)
    keys = [key for _, found in confusions for key in found] + [key for found in outliers for key in found]
    captions = {each.key: f"{each.signed} predicted as {each.predicted}, {each.signer}" for each in mistakes}
    pictures = {
        key: Picture(key=key, caption=captions.get(key, key), uri=uri)
        for key, uri in render_thumbnails(dataset, keys).items()
    }
    return {
        "confusions": [(each, _take(pictures, found)) for each, found in confusions],
        "outliers": [(_take(pictures, found), texts) for found, texts in outliers.items()],
    }


def _take(pictures: dict[str, Picture], keys: Sequence[str]) -> list[Picture]:
    """Remove pictures and return them; those that are missing were already taken, or have no pixels."""
    return [pictures.pop(key) for key in keys if key in pictures]


def _merge_outliers(outliers: Sequence[SignerOutlierMetrics]) -> dict[tuple[str, ...], list[str]]:
    """Return the texts of the outliers by their frames: with two signers, each is an outlier for the other."""
    texts: dict[tuple[str, ...], list[str]] = {}
    for each in outliers:
        keys = (each.key, each.other_key)
        texts.setdefault(keys[::-1] if keys[::-1] in texts else keys, []).append(each.text)
    return texts


def _png_data_uri(path: Path) -> str:
    return f"data:image/png;base64,{b64encode(path.read_bytes()).decode()}"
