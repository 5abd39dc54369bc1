"""The dataset's README.md: what it is, for people and for the hub."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from aslkit.datasets.schema import COLUMNS
from aslkit.files import write_text
from aslkit.letters import LETTERS

_SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def write(folder: Path, *, name: str, facts: dict[str, Any]) -> None:
    """Write README.md into the dataset's folder from the facts that its Parquet files carry too."""
    environment = Environment(
        loader=PackageLoader("aslkit.datasets", "."), undefined=StrictUndefined, keep_trailing_newline=True,
        trim_blocks=True, lstrip_blocks=True, autoescape=False,
    )  # fmt: skip
    frames = facts["summary"]["frames"]
    size = next((words for limit, words in _SIZES if frames < limit), "1M<n<10M")
    template = environment.get_template("card.md.j2")
    text = template.render(name=name, size=size, letters=LETTERS, columns=COLUMNS.names, **facts)
    write_text(folder / "README.md", text)
