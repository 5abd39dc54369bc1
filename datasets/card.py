"""Write README.md, the dataset card for people and the Hugging Face Hub."""

from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]
from jinja2 import Environment, PackageLoader, StrictUndefined

from aslkit.core.files import write_text
from aslkit.core.letters import LABELS, LETTERS
from aslkit.core.sanitize import escape_markdown, sanitize_text
from aslkit.datasets import schema
from aslkit.datasets.info import UNSTATED, DatasetInfo, as_dict, summarise_folder
from aslkit.datasets.summary import describe_clips, describe_reviewed
from aslkit.formats.licences import PRIVATE

FILE: Final = "README.md"

HUB_LICENCES: Final = (
    "mit", "apache-2.0", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0",
    "cc-by-nc-nd-4.0", "cc-by-3.0", "cc-by-sa-3.0", "odbl", "pddl", "bsd-3-clause", "gpl-3.0", "unlicense",
)  # fmt: skip
"""Licence identifiers of the Hub: https://huggingface.co/docs/hub/repositories-licenses"""

_SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_MAX_TEXT_CHARS: Final = 600
"""Maximum length of a value in the card, such as a note or a consent statement."""

_MAX_SIGNERS: Final = 200
"""Maximum number of signers listed in the card."""


def write_card(folder: Path, *, name: str, facts: dict[str, Any]) -> None:
    """Write README.md into a dataset folder.

    Counts are computed from the Parquet files in the folder. `facts` provides what cannot be computed. All keys are
    optional: `summary`, with `split_by`, `held_out`, `rejected`, `reviewed` and `notes`; `versions`; `licence`, of the
    whole dataset; `leaks`, with `own` and `random`, each with `copies`, `remembered` and `test`; `source`; `citation`;
    `url`.

    Args:
        folder: the dataset folder, with its Parquet files.
        name: name of the dataset.
        facts: the metadata stored in the Parquet files.
    """
    info = summarise_folder(folder)
    environment = Environment(
        loader=PackageLoader("aslkit.datasets", "."), undefined=StrictUndefined, keep_trailing_newline=True,
        # autoescape would escape for HTML, but the card is Markdown: _escape_value does that instead.
        trim_blocks=True, lstrip_blocks=True, autoescape=False, finalize=_escape_value,
    )  # fmt: skip
    environment.filters |= {"percent": "{:.2%}".format, "raw": _Raw, "md": escape_markdown}
    context = _template_context(info, name, facts) | {"front_matter": _Raw(front_matter(info, name, facts))}
    write_text(folder / FILE, environment.get_template("card.md.j2").render(context))


class _Raw(str):
    """Text that is already valid Markdown or YAML and must not be escaped."""


def _escape_value(value: Any) -> Any:
    """Escape each value that the template renders, so that untrusted text cannot become Markdown or HTML."""
    if isinstance(value, str) and not isinstance(value, _Raw):
        return escape_markdown(value, most=_MAX_TEXT_CHARS)
    return value


def size_category(images: int) -> str:
    """Return the Hub's size category for a number of images."""
    return next((category for limit, category in _SIZES if images < limit), "1M<n<10M")


def dataset_licence(info: DatasetInfo, facts: dict[str, Any]) -> str:
    """Return the licence of the whole dataset.

    This is "private" if images are private, or the licence in `facts`, or the licence of the images if all have the
    same one, or else "other" or "unknown".
    """
    if info.private_signers:
        return PRIVATE
    stated = facts.get("licence")
    if isinstance(stated, str) and stated:
        return stated
    if len(info.licences) == 1:
        only = next(iter(info.licences))
        return "unknown" if only == UNSTATED else only
    return "other"


def front_matter(info: DatasetInfo, name: str, facts: dict[str, Any]) -> str:
    """Return the YAML metadata that the Hub reads.

    Reference: https://github.com/huggingface/hub-docs/blob/main/datasetcard.md
    """
    licence = dataset_licence(info, facts)
    known = licence.lower() in HUB_LICENCES or licence == "unknown"
    metadata: dict[str, Any] = {"license": licence.lower() if known else "other"}
    if not known:
        metadata["license_name"] = _remove_tags(licence) if licence != "other" else "several"
    metadata |= {
        "pretty_name": _remove_tags(name),
        "language": ["ase"],
        "task_categories": ["image-classification", *(["video-classification"] if info.clips else [])],
        "tags": ["asl", "fingerspelling", "sign-language", "hand-landmarks"],
        "size_categories": [size_category(sum(split.rows for split in info.splits.values()))],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"data/{split}-*.parquet"} for split in info.splits],
            }
        ],
        "dataset_info": _dataset_info(info, pixels=facts.get("pixels") is not False),
    }
    # safe_dump quotes names that YAML would read as something else. The width prevents it from breaking lines.
    return str(yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True, width=1000))


def _remove_tags(text: str) -> str:
    """Replace angle brackets, for programs that render the front matter as part of the page."""
    return sanitize_text(text).replace("<", "‹").replace(">", "›")


def _dataset_info(info: DatasetInfo, *, pixels: bool) -> dict[str, Any]:
    splits = [
        {"name": name, "num_bytes": split.arrow_bytes, "num_examples": split.rows}
        for name, split in info.splits.items()
    ]
    features = schema.huggingface_features(pixels=pixels)
    return {
        "features": [_feature(name, feature) for name, feature in features.items()],
        "splits": splits,
        "download_size": sum(split.file_bytes for split in info.splits.values()),
        "dataset_size": sum(split.arrow_bytes for split in info.splits.values()),
    }


def _feature(name: str, feature: dict[str, Any]) -> dict[str, Any]:
    """Convert a Hugging Face feature to the form that the YAML of a card uses."""
    kind = feature.get("_type")
    if kind is None:
        return {"name": name, "struct": [_feature(part, value) for part, value in feature.items()]}
    if kind == "Image":
        return {"name": name, "dtype": "image"}
    if kind == "ClassLabel":
        letters = {str(index): letter for index, letter in enumerate(LABELS)}
        return {"name": name, "dtype": {"class_label": {"names": letters}}}
    if kind == "Sequence":
        return {"name": name, "list": feature["feature"]["dtype"]}
    return {"name": name, "dtype": feature["dtype"]}


def _template_context(info: DatasetInfo, name: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of the template. `facts` is untrusted, so all types are checked."""
    summary = as_dict(facts.get("summary"))
    leakage = as_dict(facts.get("leaks"))
    return {
        "name": name,
        "info": info,
        "signers": list(info.signers.items())[:_MAX_SIGNERS],
        "letters": LETTERS,
        "labels": LABELS,
        "clips": describe_clips(info.clips) if info.clips else "",
        "rejected_clips": _as_counts(as_dict(summary.get("clips")).get("rejected")),
        "columns": schema.COLUMNS.names,
        "split_by": summary.get("split_by"),
        "held_out": _as_strings(summary.get("held_out")),
        "rejected": _as_counts(summary.get("rejected")),
        "reviewed": describe_reviewed(as_dict(summary.get("reviewed"))),
        "notes": _as_strings(summary.get("notes")),
        "aslkit_version": as_dict(facts.get("versions")).get("aslkit"),
        "source": facts.get("source"),
        "leakage": {key: leakage[key] for key in ("own", "random") if _is_leakage(leakage.get(key))},
        "licence": dataset_licence(info, facts),
        "unstated": UNSTATED,
    }


def _as_strings(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple) else []


def _as_counts(value: Any) -> dict[str, int]:
    return {str(key): number for key, number in as_dict(value).items() if _is_int(number)}


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_leakage(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), int | float) for key in ("copies", "remembered"))
