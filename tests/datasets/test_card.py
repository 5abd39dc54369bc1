import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from aslkit.core.letters import LABELS
from aslkit.core.sanitize import escape_markdown, sanitize_text
from aslkit.core.workspace import Workspace
from aslkit.datasets import card, parquet_store
from tests.datasets import factories

HOSTILE = (
    "a\n---\nlicense: mit\n---\n# heading",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "[click](javascript:alert(1)) ![x](http://x) `code` **b** _i_ | cell |",
    "\x1b[31m\x07\u202e",
    "'\"&<>\\",
    "- - -",
    "# h",
    "1. x",
    "!!python/object/apply:os.system ['true']",
)


def front_matter(folder: Path) -> dict[str, Any]:
    _, head, _ = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return dict(yaml.safe_load(head))


def test_card_matches_files(curated: Workspace) -> None:
    folder = curated.dataset("custom")
    text = (folder / "README.md").read_text(encoding="utf-8")
    summary, front = parquet_store.read_facts(folder)["summary"], front_matter(folder)
    assert front["pretty_name"] == "custom"
    assert front["license"] == "cc0-1.0"
    assert front["size_categories"] == ["n<1K"]
    assert front["dataset_info"]["features"][1]["dtype"]["class_label"]["names"] == dict(
        zip(map(str, range(26)), LABELS, strict=True)
    )
    assert {each["name"]: each["num_examples"] for each in front["dataset_info"]["splits"]} == summary["splits"]
    assert f"{summary['frames']} images of the 24 static letters" in text
    assert f"Held out: {', '.join(summary['held_out'])}." in text
    for split, count in summary["splits"].items():
        assert f"| {split} | {count} |" in text
    for signer, each in summary["signers"].items():
        assert f"| {signer} | {each['frames']} | 1 | 3 | {each['coverage']:.2%} |" in text
    assert "camera 0 (54)" in text
    assert "- licence CC0-1.0: 54 images" in text
    assert "{" not in text


def test_card_includes_facts(tmp_path: Path) -> None:
    folder = factories.dataset(tmp_path / "2026")
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "no signer in `test` is in" in text
    assert "Recorded from 2026-01-02 to 2026-01-08, in 3 sessions." in text
    assert "- blurred: 2\n" in text
    assert "- Record more.\n" in text
    assert front_matter(folder)["pretty_name"] == "2026"  # a string, not a number
    facts = parquet_store.read_facts(folder) | {
        "leaks": {"own": {"copies": 0.084, "remembered": 0.829}},
        "licence": "CC-BY-SA-4.0",
    }
    card.write_card(folder, name="2026", facts=facts)
    assert "| this split | 8.40% | 82.90% |" in (folder / "README.md").read_text(encoding="utf-8")
    assert front_matter(folder)["license"] == "cc-by-sa-4.0"


@pytest.mark.parametrize(
    ("by", "text"),
    [
        ("session", "Split by session"),
        ("block", "Split by blocks"),
        ("official", "The published split"),
        (["x"], "does not state how it was split"),
    ],
)
def test_card_describes_split(tmp_path: Path, by: Any, text: str) -> None:
    folder = factories.write(tmp_path / "d", {"train": factories.rows_of("train", 2)}, summary={"split_by": by})
    assert text in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("images", "size"),
    [(999, "n<1K"), (1_000, "1K<n<10K"), (14_448, "10K<n<100K"), (2_000_000, "1M<n<10M")],
)
def test_size_category(images: int, size: str) -> None:
    assert card.size_category(images) == size


@pytest.mark.parametrize(
    "facts", [{}, {"summary": []}, {"summary": {"held_out": 5, "notes": {}, "rejected": {1: "x"}}}]
)
def test_facts_of_wrong_type_are_ignored(tmp_path: Path, facts: dict[str, Any]) -> None:
    folder = factories.write(tmp_path / "d", {"train": factories.rows_of("train", 2)})
    card.write_card(folder, name="d", facts=facts | {"versions": 1, "leaks": [], "licence": 5, "source": None})
    assert "2 images of the 24" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", HOSTILE)
def test_untrusted_text_is_escaped(tmp_path: Path, text: str) -> None:
    rows = [factories.row(index, text, licence=text, consent=text, camera=text, session=text) for index in range(3)]
    summary = {"notes": [text], "rejected": {text: 1}, "held_out": [text]}
    folder = factories.write(tmp_path / "d", {"train": rows}, summary=summary)
    card.write_card(folder, name=text, facts=parquet_store.read_facts(folder) | {"source": text})
    card_text = (folder / "README.md").read_text(encoding="utf-8")
    front = front_matter(folder)
    assert front["license"] == "other"
    assert front["license_name"] == sanitize_text(text).replace("<", "‹").replace(">", "›")
    assert card_text.count("\n---\n") == 1
    assert "<script" not in card_text
    assert "\x1b" not in card_text
    body = card_text.split("---\n", 2)[2]
    assert sum(line.startswith("#") for line in body.splitlines()) == 9
    assert re.search(r"(?<!\\)\]\(", body) is None
    assert escape_markdown(text, most=600) in body
