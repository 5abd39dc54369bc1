"""The model card: what the model is, how well it does on strangers, what it is not fit for, how to make it again."""

from typing import Any

import yaml  # type: ignore[import-untyped,unused-ignore]

from aslkit.train.reporting.report import percent
from aslkit.train.reporting.summary_text import (
    describe_false_letters,
    describe_synthetic,
    describe_transfer,
    headline,
    headline_accuracy,
)
from aslkit.train.reporting.tables import markdown_table

CARD_FILE = "README.md"


def render_card(metrics: dict[str, Any]) -> str:
    """The card as Markdown, with the front matter that the Hugging Face hub reads.

    Args:
        metrics: of the run, as metrics.json has them.
    """
    words, title = headline(metrics), f"{metrics['feature']} × {metrics['architecture']} on {metrics['dataset']}"
    front = {
        "library_name": "keras",
        "pipeline_tag": "image-classification",
        "tags": ["asl", "fingerspelling", "hand-landmarks", "aslkit"],
        "language": ["ase"],
    }
    parts = [
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n",
        f"# {title}\n",
        "Names the letter of the American Sign Language alphabet that a hand shows in one picture: 24 still letters, "
        "without J and Z, which move.\n",
        f"**{percent(headline_accuracy(metrics))} right on {words['tested']}.** {words['doubt']} A picture in which no hand is "
        f"found counts as wrong. On a random split, the optimistic figure, {_random(metrics)}. "
        f"{words['gap']} {describe_transfer(metrics)}\n",
        _left_out(metrics),
        _rejection(metrics),
        _letters(metrics),
        "## What it is not fit for\n",
        "Sign language: fingerspelling is a small part of it, and words, grammar and the face are not looked at. "
        "Anything that hangs on a single answer. People whose hands differ much from those that it learned from; "
        f"the figures above are all that is known of strangers.{_warning(words)}\n",
        "## What it learned from\n",
        f"{metrics['trained_on']['n']:,} frames of {', '.join(metrics['trained_on']['signers'])}, from the dataset "
        f"`{metrics['dataset']}`{describe_synthetic(metrics)}. The licence of these frames is in the dataset's card.\n",
        "## Using it\n",
        "`model/model.keras` loads in Keras 3 (`keras.saving.load_model`, safe mode); `model/preprocess.json` says how "
        "`aslkit.vision.preprocess` makes its input from an image, and below which confidence it gives no letter.\n",
        "## Making it again\n",
        f"```sh\n{metrics['command']}\n```\n",
        _environment(metrics["environment"]),
    ]
    return "\n".join(part for part in parts if part)


def _random(metrics: dict[str, Any]) -> str:
    return percent(metrics["random_split"]["accuracy"])


def _warning(words: dict[str, str]) -> str:
    return f" {words['warning']}" if words["warning"] else ""


def _left_out(metrics: dict[str, Any]) -> str:
    if "cv" not in metrics:
        return ""
    rows = [
        (each["name"], percent(each["accuracy"]), percent(each["coverage"]), f"{each['n']:,}")
        for each in metrics["cv"]["each"]
    ]
    return markdown_table((f"{metrics['cv']['by']} left out", "right", "hand found", "frames"), rows)


def _rejection(metrics: dict[str, Any]) -> str:
    found = metrics["rejection"]
    letters, silent = found["letters"], found["nothing"]
    refused = ", ".join(f"{kind} {percent(each['refused'])}" for kind, each in silent.items())
    return (
        f"Where it is not sure enough it says nothing: of the letters then {percent(letters['right'])} are right, "
        f"{percent(letters['wrong'])} wrong, {percent(letters['refused'])} refused; in {percent(letters['no_hand'])} "
        f"no hand is found. Of frames without a letter it refuses: {refused or 'not measured'}. False letters expected "
        f"while spelling: {describe_false_letters(found)}.\n"
    )


def _letters(metrics: dict[str, Any]) -> str:
    rows = [
        (letter, percent(each["accuracy"]), f"{each['n']:,}")
        for letter, each in metrics["unseen"]["per_letter"].items()
    ]
    return markdown_table(("letter", "right", "frames"), rows)


def _environment(found: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items() if version)
    return f"With Python {found['python']} on {found['system']}, {found['cores']} cores; {packages}.\n"
