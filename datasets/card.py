"""The dataset's README.md and croissant.json: what it is, for people, for the hub and for search engines."""

from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]
from jinja2 import Environment, PackageLoader, StrictUndefined

from aslkit.core.files import write_text
from aslkit.core.letters import LETTERS
from aslkit.core.sanitize import escape_markdown, sanitize_text
from aslkit.datasets import croissant, schema
from aslkit.datasets.info import UNSTATED, DatasetInfo, as_dict, summarise_folder

FILE: Final = "README.md"

HUB_LICENCES: Final = (
    "mit", "apache-2.0", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0",
    "cc-by-nc-nd-4.0", "cc-by-3.0", "cc-by-sa-3.0", "odbl", "pddl", "bsd-3-clause", "gpl-3.0", "unlicense",
)  # fmt: skip
"""Names of licences that the hub knows: https://huggingface.co/docs/hub/repositories-licenses"""

_SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LONG: Final = 600
"""Characters of a note, or of what somebody consented to."""

_LISTED: Final = 200
"""Signers that the card names."""


def write_card(folder: Path, *, name: str, facts: dict[str, Any]) -> None:
    """Write README.md and croissant.json into the dataset's folder.

    What can be counted is counted from the Parquet files that lie there. From `facts` come what cannot: in `summary`
    `split_by`, `held_out`, `rejected`, `notes`; `versions`; where known `licence` (of the whole), `leaks`
    (`own` and `random`, each with `copies`, `remembered`, `test`), `source`, `citation`, `url`. All are optional.

    Args:
        folder: of the dataset, with its Parquet files.
        name: of the dataset.
        facts: as its Parquet files carry them.
    """
    found = summarise_folder(folder)
    environment = Environment(
        loader=PackageLoader("aslkit.datasets", "."), undefined=StrictUndefined, keep_trailing_newline=True,
        trim_blocks=True, lstrip_blocks=True, autoescape=False, finalize=_escaped,
    )  # fmt: skip
    environment.filters |= {"percent": "{:.2%}".format, "raw": _Raw, "md": escape_markdown}
    content = _content(found, name, facts) | {"front_matter": _Raw(front_matter(found, name, facts))}
    write_text(folder / FILE, environment.get_template("card.md.j2").render(content))
    croissant.write_croissant(folder, found, name=name, licence=dataset_licence(found, facts), facts=facts)


class _Raw(str):
    """Text that is Markdown or YAML already."""


def _escaped(value: Any) -> Any:
    """Every word that the template shows passes here: none of a sender's becomes Markdown or HTML."""
    return escape_markdown(value, most=_LONG) if isinstance(value, str) and not isinstance(value, _Raw) else value


def size_category(images: int) -> str:
    """How the hub calls a dataset of so many images."""
    return next((words for limit, words in _SIZES if images < limit), "1M<n<10M")


def dataset_licence(found: DatasetInfo, facts: dict[str, Any]) -> str:
    """The licence of the whole: as stated for it, or as all its images state alike; else "other" or "unknown"."""
    stated = facts.get("licence")
    if isinstance(stated, str) and stated:
        return stated
    if len(found.licences) == 1:
        only = next(iter(found.licences))
        return "unknown" if only == UNSTATED else only
    return "other"


def front_matter(found: DatasetInfo, name: str, facts: dict[str, Any]) -> str:
    """What the hub reads, as YAML: https://github.com/huggingface/hub-docs/blob/main/datasetcard.md"""
    licence = dataset_licence(found, facts)
    known = licence.lower() in HUB_LICENCES or licence == "unknown"
    about: dict[str, Any] = {"license": licence.lower() if known else "other"}
    if not known:
        about["license_name"] = _no_tags(licence) if licence != "other" else "several"
    about |= {
        "pretty_name": _no_tags(name),
        "language": ["ase"],
        "task_categories": ["image-classification"],
        "tags": ["asl", "fingerspelling", "sign-language", "hand-landmarks"],
        "size_categories": [size_category(found.images + found.copies)],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"data/{split}-*.parquet"} for split in found.splits],
            }
        ],
        "dataset_info": _dataset_info(found, pixels=facts.get("pixels") is not False),
    }
    return str(yaml.safe_dump(about, sort_keys=False, allow_unicode=True, width=1000))


def _no_tags(text: str) -> str:
    """Fit for a program that takes front matter for a part of the page."""
    return sanitize_text(text).replace("<", "‹").replace(">", "›")


def _dataset_info(found: DatasetInfo, *, pixels: bool) -> dict[str, Any]:
    splits = [
        {"name": split, "num_bytes": part.arrow_bytes, "num_examples": part.rows}
        for split, part in found.splits.items()
    ]
    return {
        "features": [_feature(name, said) for name, said in schema.huggingface_features(pixels=pixels).items()],
        "splits": splits,
        "download_size": sum(part.file_bytes for part in found.splits.values()),
        "dataset_size": sum(part.arrow_bytes for part in found.splits.values()),
    }


def _feature(name: str, said: dict[str, Any]) -> dict[str, Any]:
    """One column, as the card's YAML names types."""
    kind = said.get("_type")
    if kind is None:
        return {"name": name, "struct": [_feature(part, each) for part, each in said.items()]}
    if kind == "Image":
        return {"name": name, "dtype": "image"}
    if kind == "ClassLabel":
        return {"name": name, "dtype": {"class_label": {"names": {str(i): each for i, each in enumerate(LETTERS)}}}}
    if kind == "Sequence":
        return {"name": name, "list": said["feature"]["dtype"]}
    return {"name": name, "dtype": said["dtype"]}


def _content(found: DatasetInfo, name: str, facts: dict[str, Any]) -> dict[str, Any]:
    """What the template shows; of `facts` nothing is taken to be of the type it should be."""
    summary = as_dict(facts.get("summary"))
    leaks = as_dict(facts.get("leaks"))
    return {
        "name": name,
        "found": found,
        "people": list(found.signers.items())[:_LISTED],
        "letters": LETTERS,
        "columns": schema.COLUMNS.names,
        "split_by": summary.get("split_by"),
        "held_out": _words(summary.get("held_out")),
        "rejected": {str(key): value for key, value in as_dict(summary.get("rejected")).items() if _whole(value)},
        "notes": _words(summary.get("notes")),
        "made_with": as_dict(facts.get("versions")).get("aslkit"),
        "source": facts.get("source"),
        "leaks": {key: leaks[key] for key in ("own", "random") if _is_leak(leaks.get(key))},
        "licence": dataset_licence(found, facts),
        "unstated": UNSTATED,
    }


def _words(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple) else []


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_leak(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), int | float) for key in ("copies", "remembered"))
