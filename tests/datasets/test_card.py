from pathlib import Path
from typing import Any

import pytest

from aslkit.datasets import card, store
from aslkit.workspace import Workspace


def front_matter(text: str) -> dict[str, str]:
    _, head, _ = text.split("---\n", 2)
    return dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)


def test_the_card_says_what_the_files_say(curated: Workspace) -> None:
    folder = curated.dataset("custom")
    text = (folder / "README.md").read_text(encoding="utf-8")
    summary = store.facts(folder)["summary"]
    assert front_matter(text)["pretty_name"] == '"custom"'
    assert "size_categories:\n- n<1K\n" in text
    assert f"{summary['frames']} images of the 24 still letters" in text
    assert f"Held out: {', '.join(summary['held_out'])}." in text
    for split, count in summary["splits"].items():
        assert f"| {split} | {count} |" in text
    for signer, each in summary["signers"].items():
        assert f"| {signer} | {each['frames']} | {each['coverage']:.2%} |" in text
    assert "{" not in text


@pytest.mark.parametrize(
    ("frames", "size"),
    [(999, "n<1K"), (1_000, "1K<n<10K"), (14_448, "10K<n<100K"), (2_000_000, "1M<n<10M")],
)
@pytest.mark.parametrize(
    ("by", "words"),
    [("signer", "nobody in `test`"), ("session", "By session"), ("block", "By blocks of time")],
)
def test_size_and_split_in_words(tmp_path: Path, frames: int, size: str, by: str, words: str) -> None:
    summary: dict[str, Any] = {
        "frames": frames, "groups": 5, "split_by": by, "splits": {"train": frames}, "held_out": ["ada"],
        "signers": {"ada": {"frames": frames, "coverage": 1.0}}, "letters": {"A": frames},
        "augmented": 0,
        "rejected": {"duplicate": 1_234}, "notes": ["Record more."],
    }  # fmt: skip
    card.write(tmp_path, name="2026", facts={"summary": summary, "versions": {"aslkit": "0"}})
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert f"- {size}\n" in text
    assert words in text
    assert "- duplicate: 1,234\n" in text
    assert "- Record more.\n" in text
    assert front_matter(text)["pretty_name"] == '"2026"'  # a name, not a number
