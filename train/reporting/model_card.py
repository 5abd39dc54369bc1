"""The model card: what the model does, its accuracy on unseen signers, its limits, how to reproduce it."""

from collections.abc import Sequence
from dataclasses import dataclass

import yaml  # type: ignore[import-untyped,unused-ignore]

from aslkit.core.sanitize import format_percent
from aslkit.formats.prediction_metrics import RejectionMetrics
from aslkit.formats.run_folder import Environment
from aslkit.formats.run_metrics import RunMetrics
from aslkit.train.reporting.environment import WORKSPACE_PLACEHOLDER
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
from aslkit.train.reporting.tables import markdown_table

CARD_FILE = "README.md"


@dataclass(frozen=True, kw_only=True)
class Credit:
    """Whom to credit for a signer's images: a public repository or author, and its licence."""

    signer: str
    source: str
    licence: str


_FRONT_MATTER = {
    "library_name": "keras",
    "pipeline_tag": "image-classification",
    "tags": ["asl", "fingerspelling", "hand-landmarks", "aslkit"],
    "language": ["ase"],
}


def render_card(metrics: RunMetrics) -> str:
    """Return the card as Markdown with the front matter of the Hugging Face Hub."""
    summary = describe_run(metrics)
    random_split = random_split_accuracy(metrics)
    result = [
        f"**{format_percent(metrics.headline_accuracy)} accuracy on {summary.tested}.**",
        summary.interval,
        summary.explanation,
        "An image in which no hand is found counts as wrong.",
        f"Accuracy on a random split, which is optimistic: {format_percent(random_split)}. {summary.gap}"
        if random_split is not None
        else summary.gap,
        describe_transfer(metrics),
    ]
    parts = [
        f"---\n{yaml.safe_dump(_FRONT_MATTER, sort_keys=False)}---\n",
        f"# {describe_recogniser(metrics)}\n",
        "Recognises static letters of the American Sign Language alphabet in a single image. "
        f"{describe_motion(metrics) or 'J and Z are signed with a movement and are not included.'} "
        f"Feature and architecture: {metrics.feature} × {metrics.architecture}.\n",
        " ".join(filter(None, result)) + "\n",
        _render_folds(metrics),
        _render_rejection(metrics.rejection) if metrics.rejection else "",
        _render_letters(metrics),
        "## Limits\n",
        "Fingerspelling is a small part of sign language; words, grammar and facial expression are not recognised. Do "
        "not base a decision on a single prediction. Expect lower accuracy for hands that differ from those in the "
        "training data; the figures above are all that is known about "
        f"{'unseen signers' if metrics.is_unseen else 'this person, and nothing is known about others'}."
        f"{' ' + summary.warning if summary.warning else ''}\n",
        "## Training data\n",
        f"{metrics.trained_on.n:,} frames of {', '.join(metrics.trained_on.signers)} from the dataset "
        f"`{metrics.dataset}`{describe_synthetic(metrics)}. The dataset's card states the licence of the frames.\n",
        "## Usage\n",
        "`model/model.keras` loads in Keras 3 with `keras.saving.load_model` in safe mode. `model/preprocess.json` "
        "describes the input, which `aslkit.vision.preprocess` computes from an image, and the confidence threshold "
        "below which a prediction is rejected.\n",
        "## Reproduce\n",
        f"```sh\n{metrics.command}\n```\n",
        f"{WORKSPACE_PLACEHOLDER} is the folder that contains `runs`.\n"
        if WORKSPACE_PLACEHOLDER in metrics.command
        else "",
        _render_environment(metrics.environment),
    ]
    return "\n".join(part for part in parts if part)


def render_starter_card(metrics: RunMetrics, credits: Sequence[Credit]) -> str:
    """Return the card of the starter model as Markdown.

    Args:
        metrics: of its evaluation on people that it was not trained on.
        credits: of the people it was trained on.
    """
    synthetic = f" and {metrics.trained_on.synthetic_signers} synthetic signers (CC0)"
    rows = [(each.signer, each.source, each.licence) for each in credits]
    return "\n".join(
        [
            "# Starter model\n",
            "Recognises the 24 static letters of the American Sign Language alphabet in a single image, from the "
            "landmarks of the hand and an embedding of its pixels. A second network recognises J and Z by their "
            "movement; it was trained and measured on synthetic signers only. The starter model is used where no other "
            "model is named and none has been trained yet, and training starts from it.\n",
            f"**{format_percent(metrics.headline_accuracy)} accuracy on people that it was not trained on**, "
            f"{describe_run(metrics).interval.lower()} Most of them are learners, in public webcam photographs.\n",
            _render_folds(metrics),
            _render_rejection(metrics.rejection) if metrics.rejection else "",
            _render_letters(metrics),
            "## Training data\n",
            f"{metrics.trained_on.n:,} frames of {len(credits)} people{synthetic}. Only weights are published: no "
            "images, and no landmarks or embeddings of real people.\n",
            markdown_table(("signer", "source", "licence"), rows),
            "## Rebuild\n",
            "```sh\npython -m aslkit.train.build_starter LICENSED STRANGERS\n```\n",
            "LICENSED is the dataset of these people, and STRANGERS the one to measure on.\n",
            _render_environment(metrics.environment),
        ]
    )


def _render_folds(metrics: RunMetrics) -> str:
    if metrics.cv is None:
        return ""
    rows = [
        (fold.name, format_percent(fold.accuracy), format_percent(fold.coverage), f"{fold.n or 0:,}")
        for fold in metrics.cv.folds
    ]
    return markdown_table((f"held-out {metrics.cv.by}", "accuracy", "hand found", "frames"), rows)


def _render_rejection(rejection: RejectionMetrics) -> str:
    letters = rejection.letters
    negatives = "; ".join(
        f"{NEGATIVE_KINDS.get(kind, kind)} {format_percent(1 - each.rejected)}"
        for kind, each in rejection.negatives.items()
    )
    return (
        f"**{format_percent(letters.correct)} correct with the confidence threshold**, as in `aslkit live`; "
        f"{format_percent(letters.wrong)} are wrong, {format_percent(letters.rejected)} rejected, and no hand is found "
        f"in {format_percent(letters.no_hand)}. Expected false letters while spelling: "
        f"{describe_false_letters(rejection)}. Images without a letter that get one anyway: "
        f"{negatives or 'not measured'}. {FALSE_LETTERS_EXPLANATION}\n"
    )


def _render_letters(metrics: RunMetrics) -> str:
    rows = [
        (letter, format_percent(each.accuracy), f"{each.n or 0:,}")
        for letter, each in metrics.unseen.per_letter.items()
    ]
    return markdown_table(("letter", "accuracy", "frames"), rows)


def _render_environment(environment: Environment) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in environment.packages.items() if version)
    processors = f"{environment.cores} cores{', ' if environment.gpu else ''}{environment.gpu}"
    return f"Trained with Python {environment.python} on {environment.system}, {processors}; {packages}.\n"
