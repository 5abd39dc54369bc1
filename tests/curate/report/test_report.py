import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from aslkit.cli.output.stages import print_curation
from aslkit.core.config import load_settings
from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.checks import CHECKS, CheckConfig
from aslkit.curate.filter.exact_duplicates import Rejection
from aslkit.curate.measure.engine import Local
from aslkit.curate.pipeline import CurateResult, curate
from aslkit.curate.report import report
from aslkit.curate.report.galleries import DESCRIPTIONS
from aslkit.curate.report.report import ReportInput, build_waterfall, count_balance, summarise_splits
from aslkit.formats.captures import CapturedFrame, walk_captures
from aslkit.web import report_page
from aslkit.web.report_page import count_near_duplicates, join_listed
from tests.curate.factories import make_frames
from tests.curate.read_report import Page, write_report

# Page


def test_page_is_self_contained_and_accessible(curated: Workspace) -> None:
    text = (curated.dataset("custom") / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
    assert "http" not in text.replace("http-equiv", "")
    assert all(value.startswith("data:image/jpeg;base64,") for value in page.of("src"))
    ids = page.of("id")
    assert len(ids) == len(set(ids))
    links = page.of("href")
    assert {link[1:] for link in links if link[0] == "#"} <= set(ids)
    files = {unquote(link) for link in links if link[0] != "#"}
    assert any(file.endswith(".jpg") for file in files)
    assert all((curated.dataset("custom") / file).is_file() for file in files)
    assert all(alt.strip() for alt in page.of("alt"))
    assert len(page.of("alt")) == page.tags["img"]
    assert page.tags["h1"] == 1


def test_page_is_deterministic_and_contains_no_paths(curated: Workspace, curation: ReportInput, tmp_path: Path) -> None:
    first = write_report(curation, tmp_path)
    assert first == write_report(curation, tmp_path)
    assert str(curated.root) not in first


def test_missing_letters_are_listed(curated: Workspace) -> None:
    text = Page((curated.dataset("custom") / "report.html").read_text(encoding="utf-8")).text
    assert "54" in text
    assert re.search(r"ada has no images of C, D, .* X and Y\.", text)
    assert "ada has no frames of 21 letters (C-K, M-Y): record 40 of each." in text
    assert "aslkit capture --letters C-K,M-Y --signer ada" in text


@pytest.mark.parametrize(
    "evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'--><svg onload=alert(1)>", "{{ 7*7 }}"]
)
def test_untrusted_names_are_escaped(curated: Workspace, curation: ReportInput, tmp_path: Path, evil: str) -> None:
    page, plain = (Page(write_report(insert_name(name, curated, curation), tmp_path)) for name in (evil, "zoe"))
    assert page.tags - Counter(wbr=page.tags["wbr"]) == plain.tags - Counter(wbr=plain.tags["wbr"])
    assert {name for _, name, _ in page.attributes} == {name for _, name, _ in plain.attributes}
    assert all(value.startswith("data:image/jpeg;base64,") for value in page.of("src"))
    assert page.text.count(evil) > 10


def insert_name(name: str, curated: Workspace, curation: ReportInput) -> ReportInput:
    """Return the input with `name` in every untrusted field."""
    frame = CapturedFrame(path=next(walk_captures(curated.captures)).path, signer=name, session=name, letter="A")
    names = [name if signer == "ada" else signer for signer in curation.table.column("signer").to_pylist()]
    table = curation.table
    for column in ("signer", "session"):
        table = table.set_column(table.schema.get_field_index(column), column, [names])
    frames = [replace(each, signer=signer) for each, signer in zip(curation.frames, names, strict=True)]
    return replace(
        curation,
        name=name,
        table=table,
        frames=frames,
        rejected=[
            Rejection(frame=frame, reason=reason, detail=f"same pixels as {frames[0].key}{name}")
            for reason in ("duplicate", "unreadable")
        ],
        flagged=[Rejection(frame=frame, reason=name, detail=name)],
        summary=curation.summary | {"rejected": {"duplicate": 1, name: 1}, "flagged": {name: 1}, "notes": [name]},
    )


def test_file_name_that_is_html_is_escaped(
    workspace: Workspace, settings: CurateConfig, measured_files: list[str]
) -> None:
    folder = workspace.captures / "ben" / "one" / "A"
    name = '"><img src=x onerror=alert(1)>.jpg'
    (folder / name).write_bytes((folder / "8.jpg").read_bytes())
    (folder / "0.jpg").write_bytes(b"<script>")
    curate(
        workspace,
        name="custom",
        config=settings,
        checks=load_settings("checks", CheckConfig),
        engine=Local(processes=1),
    )
    page = Page((workspace.dataset("custom") / "report.html").read_text(encoding="utf-8"))
    assert f"ben/one/A/{name}" in page.text
    assert "no image" in page.text  # for the unreadable file
    assert not [attribute for _, attribute, _ in page.attributes if attribute.startswith("on")]


def test_dataset_without_a_report_is_rebuilt(
    workspace: Workspace, settings: CurateConfig, measured_files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace.dataset("custom") / "report.html"
    before = path.read_bytes()
    path.unlink()
    result = curate(
        workspace,
        name="custom",
        config=settings,
        checks=load_settings("checks", CheckConfig),
        engine=Local(processes=1),
    )
    assert isinstance(result, CurateResult)
    assert not result.up_to_date
    assert path.read_bytes() == before
    print_curation(result, as_json=False)
    assert capsys.readouterr().out.splitlines()[-1] == f"Report: {path.as_uri()}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_of_the_heat_map(scheme: str) -> None:
    """The contrast is at least 4.5:1 (WCAG 2.2, 1.4.3)."""
    files = (Path(report_page.__file__).with_name("report.css"), Path(report.__file__).with_name("report.html.j2"))
    colors: dict[str, str] = {}
    for file in files:
        blocks = re.findall(r":root \{(.*?)\}", file.read_text(encoding="utf-8"), re.DOTALL)
        colors |= dict(re.findall(r"--(\w+): (#\w+)", blocks[["light", "dark"].index(scheme)]))

    def luminance(name: str) -> float:
        digits = colors[name][1:]
        digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
        parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    pairs = [("ink", "paper"), ("soft", "paper"), ("blue", "paper"), ("amber", "cream")]
    for ink, paper in [*pairs, *((f"i{step}", f"s{step}") for step in range(1, report.HEATMAP_SHADES + 1))]:
        high, low = sorted((luminance(ink), luminance(paper)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, paper)


# Statistics


def test_waterfall_leads_from_captured_to_kept_images() -> None:
    summary = {
        "frames": 80,
        "rejected": {"near-duplicate": 5, "blurred": 4, "unreadable": 1, "duplicate": 10},
        "splits": {"train": 60, "validation": 0, "test": 20},
        "augmented": 120,
    }
    steps = build_waterfall(summary)
    names = ["captured", "unreadable", "duplicate", "blurred", "near-duplicate", "kept", "train", "validation", "test"]
    assert [step.name for step in steps] == [*names, "augmented copies, in train"]
    by = {step.name: step for step in steps}
    assert by["captured"].count == 100
    ends = [by[name] for name in names[:6]]
    for above, below in pairwise(ends[1:5]):
        assert below.start + below.share == pytest.approx(above.start)
    assert by["near-duplicate"].start == pytest.approx(by["kept"].share)
    assert by["test"].start + by["test"].share == pytest.approx(by["kept"].share)
    assert max(step.start + step.share for step in steps) == pytest.approx(1)


def test_lists_and_counts_in_words() -> None:
    assert join_listed("ABC", 3) == "A, B, C"
    assert join_listed("ABC", 2) == "A, B and 1 more"
    counts = [count_near_duplicates(1_171, groups) for groups in (1_171, 1_170, 2)]
    assert counts == ["no near-duplicates", "1 near-duplicate", "1,169 near-duplicates"]


def test_letters_without_pose_outliers_are_one_line(curated: Workspace, curation: ReportInput, tmp_path: Path) -> None:
    page = Page(write_report(curation, tmp_path))
    assert page.text.count("No outliers") <= 1
    assert "Too few images to tell (fewer than 10): " in page.text or "No outliers: " in page.text


def test_every_reason_has_a_description() -> None:
    assert {name.replace("_", "-") for name in CHECKS} <= set(DESCRIPTIONS)


def test_balance_counts_every_frame_once() -> None:
    frames = make_frames(("maria", "one", "A", 3), ("maria", "two", "B", 6), ("<ben>", "one", "A", 12))
    found = count_balance(frames)
    assert found.signers == [("<ben>", ["one"]), ("maria", ["one", "two"])]
    cells = {letter: [(cell.count, cell.shade) for cell in row] for letter, row, _ in found.rows}
    assert cells["A"] == [(12, 4), (3, 1), (0, 0)]
    assert cells["B"] == [(0, 0), (0, 0), (6, 2)]
    assert [total for _, _, total in found.rows][:2] == [15, 6]
    assert found.sums == [12, 3, 6, 21]
    assert found.missing_letters[1][1].startswith("C, D,")


def test_few_signers_of_a_split_are_listed_by_name() -> None:
    frames = make_frames(*((f"signer {number}", "one", "A", 1) for number in range(10)))
    names = np.array(["test"] * 2 + ["train"] * 8)
    found = {each["name"]: each for each in summarise_splits(frames, names)}
    assert found["test"]["signers"] == "signer 0, signer 1"
    assert found["validation"]["images"] == 0
    assert found["train"]["sessions"] == 8
    assert {each["name"]: each for each in summarise_splits(frames, np.full(10, "train"))}["train"][
        "signers"
    ] == "10 signers"
