import base64
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from aslkit.captures import CapturedFrame, walk
from aslkit.cli_text import print_curated
from aslkit.config import load
from aslkit.curate import galleries as gallery
from aslkit.curate import leaks as leaking
from aslkit.curate import report
from aslkit.curate.audit import audit
from aslkit.curate.build import Curated, curate
from aslkit.curate.checks import CHECKS, OF_LETTERS, CheckConfig
from aslkit.curate.clean import Rejection
from aslkit.curate.config import CurateConfig
from aslkit.curate.engine import Local
from aslkit.curate.galleries import ABOUT, galleries, thumbnail, varied
from aslkit.curate.leaks import leaks
from aslkit.curate.poses import drawings, poses
from aslkit.curate.report import Curation, balance, percent, splits, waterfall
from aslkit.datasets import store
from aslkit.datasets.split import Split
from aslkit.fingerprint import small
from aslkit.images import Frame, decode, encode_jpeg, perceptual_hash, to_grey
from aslkit.letters import INDEX
from aslkit.workspace import Workspace
from tests.curate.made import several

VOID = {"meta", "img", "link", "br", "hr", "wbr", "path"}


class Page(HTMLParser):
    """What a page holds, and whether each element that is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.open, self.ids = Counter[str](), list[str](), list[str]()
        self.attributes = list[tuple[str, str, str]]()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data

    def of(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


@pytest.fixture
def curation(curated: Workspace, settings: CurateConfig) -> Curation:
    """What the report of `curated` was made from."""
    table = store.read(curated.dataset("custom"))
    frames = {frame.key: frame for frame in walk(curated.captures)}
    plain = Curation(
        name="custom",
        table=table.drop_columns(["split"]),
        taken=[frames[image["path"]] for image in table.column("image").to_pylist()],
        said=table.column("label").to_numpy(),
        leaks=None,
        parts=Split(names=np.array(table.column("split").to_pylist()), by="signer"),
        refused=[],
        flagged=[],
        summary=store.facts(curated.dataset("custom"))["summary"],
        config=settings,
    )
    return replace(plain, leaks=measured(plain, settings))


def written(curation: Curation, folder: Path) -> str:
    report.write(folder, curation)
    return (folder / report.FILE).read_text(encoding="utf-8")


def refused(workspace: Workspace, reason: str, detail: str = "", *, of: int = 1, start: int = 0) -> list[Rejection]:
    frames = list(walk(workspace.captures))[start : start + of]
    return [Rejection(frame=frame, reason=reason, detail=detail) for frame in frames]


# The page


def test_the_page_is_one_file_that_needs_no_other_and_can_be_read_by_keyboard(curated: Workspace) -> None:
    text = (curated.dataset("custom") / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
    assert "http" not in text.replace("http-equiv", "")
    assert all(value.startswith("data:image/jpeg;base64,") for value in page.of("src"))
    ids = page.of("id")
    assert len(ids) == len(set(ids))
    links = page.of("href")
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert all(alt.strip() for alt in page.of("alt"))
    assert len(page.of("alt")) == page.tags["img"]
    assert page.tags["h1"] == 1


def test_the_same_input_gives_the_same_page_and_no_trace_of_where_it_was_made(
    curated: Workspace, curation: Curation, tmp_path: Path
) -> None:
    first = written(curation, tmp_path)
    assert first == written(curation, tmp_path)
    assert str(curated.root) not in first


def test_what_is_missing_is_said_in_words(curated: Workspace) -> None:
    text = Page((curated.dataset("custom") / "report.html").read_text(encoding="utf-8")).text
    assert "54" in text
    assert re.search(r"ada lacks C, D, .* X and Y\.", text)
    assert "ada has nothing of 21 letters (C-K, M-Y): 40 of each." in text
    assert "aslkit capture --letters C-K,M-Y --signer ada" in text


@pytest.mark.parametrize(
    "evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'--><svg onload=alert(1)>", "{{ 7*7 }}"]
)
def test_names_of_others_do_not_run(curated: Workspace, curation: Curation, tmp_path: Path, evil: str) -> None:
    page, plain = (Page(written(named(name, curated, curation), tmp_path)) for name in (evil, "zoe"))
    assert page.tags - Counter(wbr=page.tags["wbr"]) == plain.tags - Counter(wbr=plain.tags["wbr"])
    assert {name for _, name, _ in page.attributes} == {name for _, name, _ in plain.attributes}
    assert all(value.startswith("data:image/jpeg;base64,") for value in page.of("src"))
    assert page.text.count(evil) > 10


def named(name: str, curated: Workspace, curation: Curation) -> Curation:
    """The same with a name wherever somebody else chooses one."""
    frame = CapturedFrame(path=next(walk(curated.captures)).path, signer=name, session=name, letter="A")
    names = [name if signer == "ada" else signer for signer in curation.table.column("signer").to_pylist()]
    table = curation.table
    for column in ("signer", "session"):
        table = table.set_column(table.schema.get_field_index(column), column, [names])
    taken = [replace(each, signer=signer) for each, signer in zip(curation.taken, names, strict=True)]
    return replace(
        curation,
        name=name,
        table=table,
        taken=taken,
        refused=[
            Rejection(frame=frame, reason=reason, detail=f"same pixels as {taken[0].key}{name}")
            for reason in ("duplicate", "unreadable")
        ],
        flagged=[Rejection(frame=frame, reason=name, detail=name)],
        summary=curation.summary | {"rejected": {"duplicate": 1, name: 1}, "flagged": {name: 1}, "notes": [name]},
    )


def test_a_file_with_a_name_that_is_html(workspace: Workspace, settings: CurateConfig, looked_at: list[str]) -> None:
    folder = workspace.captures / "ben" / "one" / "A"
    name = '"><img src=x onerror=alert(1)>.jpg'
    (folder / name).write_bytes((folder / "8.jpg").read_bytes())
    (folder / "0.jpg").write_bytes(b"<script>")
    curate(workspace, name="custom", config=settings, checks=load("checks", CheckConfig), engine=Local(processes=1))
    page = Page((workspace.dataset("custom") / "report.html").read_text(encoding="utf-8"))
    assert f"ben/one/A/{name}" in page.text
    assert "no picture" in page.text  # of the unreadable one
    assert not [attribute for _, attribute, _ in page.attributes if attribute.startswith("on")]


def test_a_dataset_without_its_report_is_made_again(
    workspace: Workspace, settings: CurateConfig, looked_at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace.dataset("custom") / "report.html"
    before = path.read_bytes()
    path.unlink()
    result = curate(
        workspace, name="custom", config=settings, checks=load("checks", CheckConfig), engine=Local(processes=1)
    )
    assert isinstance(result, Curated)
    assert not result.up_to_date
    assert path.read_bytes() == before
    print_curated(result, as_json=False)
    assert capsys.readouterr().out.splitlines()[-1] == f"Report: {path.as_uri()}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_heat_map_can_be_read(scheme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    text = (Path(report.__file__).parent / "report.html.j2").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", text, re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#\w+)", blocks[["light", "dark"].index(scheme)]))

    def light(name: str) -> float:
        digits = colours[name][1:]
        digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
        parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    pairs = [("ink", "paper"), ("soft", "paper"), ("blue", "paper"), ("amber", "cream")]
    for ink, paper in [*pairs, *((f"i{step}", f"s{step}") for step in range(1, report.SHADES + 1))]:
        high, low = sorted((light(ink), light(paper)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, paper)


# What came in and went out


def test_the_waterfall_leads_from_what_was_captured_to_what_is_taken() -> None:
    summary = {
        "frames": 80,
        "rejected": {"near-duplicate": 5, "blurred": 4, "unreadable": 1, "duplicate": 10},
        "splits": {"train": 60, "validation": 0, "test": 20},
        "augmented": 120,
    }
    steps = waterfall(summary)
    names = ["captured", "unreadable", "duplicate", "blurred", "near-duplicate", "taken", "train", "validation", "test"]
    assert [step.name for step in steps] == [*names, "varied copies, in train"]
    by = {step.name: step for step in steps}
    assert by["captured"].count == 100
    ends = [by[name] for name in names[:6]]
    for above, below in pairwise(ends[1:5]):
        assert below.start + below.share == pytest.approx(above.start)
    assert by["near-duplicate"].start == pytest.approx(by["taken"].share)
    assert by["test"].start + by["test"].share == pytest.approx(by["taken"].share)
    assert max(step.start + step.share for step in steps) == pytest.approx(1)


def test_every_reason_is_explained() -> None:
    assert {name.replace("_", "-") for name in CHECKS} <= set(ABOUT)


@pytest.mark.parametrize(
    ("share", "words"), [(0, "0.0%"), (0.0004, "< 0.1%"), (0.25, "25.0%"), (0.99999, "99.9%"), (1, "100.0%")]
)
def test_percent_never_rounds_to_all_or_nothing(share: float, words: str) -> None:
    assert percent(share) == words


def test_balance_counts_every_frame_once() -> None:
    frames = several(("maria", "one", "A", 3), ("maria", "two", "B", 6), ("<ben>", "one", "A", 12))
    found = balance(frames)
    assert found.signers == [("<ben>", ["one"]), ("maria", ["one", "two"])]
    cells = {letter: [(cell.count, cell.shade) for cell in row] for letter, row, _ in found.rows}
    assert cells["A"] == [(12, 4), (3, 1), (0, 0)]
    assert cells["B"] == [(0, 0), (0, 0), (6, 2)]
    assert [total for _, _, total in found.rows][:2] == [15, 6]
    assert found.sums == [12, 3, 6, 21]
    assert found.lacking[1][1].startswith("C, D,")


def test_splits_name_their_signers_as_long_as_they_are_few() -> None:
    frames = several(*((f"signer {number}", "one", "A", 1) for number in range(10)))
    names = np.array(["test"] * 2 + ["train"] * 8)
    found = {each["name"]: each for each in splits(frames, names)}
    assert found["test"]["signers"] == "signer 0, signer 1"
    assert found["validation"]["images"] == 0
    assert found["train"]["sessions"] == 8
    assert {each["name"]: each for each in splits(frames, np.full(10, "train"))}["train"]["signers"] == "10 signers"


# Galleries


def test_a_gallery_is_of_many_signers_and_letters(curated: Workspace) -> None:
    chosen = varied(refused(curated, "blurred", of=54), 3)
    assert {each.frame.signer for each in chosen} == {"ada", "ben", "cleo"}
    assert {each.frame.letter for each in chosen} == {"A", "B", "L"}


def test_a_duplicate_has_its_twin_beside_it(curated: Workspace) -> None:
    frames = list(walk(curated.captures))
    paths = {frame.key: frame.path for frame in frames}
    found = galleries(
        [
            Rejection(frame=frames[1], reason="duplicate", detail=f"same pixels as {frames[0].key}"),
            Rejection(frame=frames[2], reason="near-duplicate", detail=f"like {frames[3].key}, which is sharper"),
        ],
        [Rejection(frame=frames[5], reason="no-hand", detail=f"like {frames[3].key}")],
        paths,
    )
    assert [(each.reason, each.taken, each.restorable) for each in found] == [
        ("duplicate", False, False),
        ("near-duplicate", False, True),
        ("no-hand", True, False),
    ]
    assert found[0].shots[0].twin == (frames[0].key, thumbnail(frames[0].path))
    assert found[1].shots[0].twin == (frames[3].key, thumbnail(frames[3].path))
    assert found[2].shots[0].twin is None


def test_many_reasons_do_not_make_a_heavy_page(curated: Workspace) -> None:
    findings = [each for reason in ABOUT for each in refused(curated, reason, f"same pixels as {reason}", of=30)]
    found = galleries(findings, findings, {})
    assert len(found) == 2 * (len(ABOUT) - len(OF_LETTERS))  # which say nothing of single frames
    assert sum(len(each.shots) for each in found if each.reason != "unreadable") <= gallery.MOST_PICTURES
    assert all(each.count == 30 for each in found)


def test_thumbnails_are_small(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (480, 1920, 3), np.uint8)
    path = tmp_path / "wide.jpg"
    path.write_bytes(encode_jpeg(image))
    hand = np.random.default_rng(0).uniform(-0.2, 1.2, (21, 3)).astype(np.float32)
    assert pixels(thumbnail(path)).shape == (36, 144, 3)
    for place in (hand, hand * 0.001, np.zeros((21, 3), np.float32)):
        assert pixels(thumbnail(path, place)).shape == (144, 144, 3)
    path.write_bytes(b"x")
    assert thumbnail(path) is None
    assert thumbnail(tmp_path / "gone.jpg") is None


def pixels(uri: str | None) -> Frame:
    assert uri is not None
    return decode(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,")))


# Leaks


def test_leaks_are_those_of_the_audit(curated: Workspace, curation: Curation, settings: CurateConfig) -> None:
    found = measured(curation, settings)
    official = audit(curated.dataset("custom"), distance=settings.group_distance).own
    assert found is not None
    assert official is not None
    assert (found.own.test, found.own.train, found.tested) == (official.test, official.train, official.test)
    for name in ("copies", "hash_copies", "correlation", "remembered", "hash_remembered"):
        assert getattr(found.own, name) == pytest.approx(getattr(official, name), abs=0.002), name
    assert found.random.remembered >= found.own.remembered


def test_of_a_large_test_a_part_is_looked_at(
    curation: Curation, settings: CurateConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(leaking, "MOST_TESTED", 7)
    found = measured(curation, settings)
    assert found is not None
    assert (found.own.test, found.own.train, found.tested) == (7, 36, 18)
    assert found == measured(curation, settings)
    text = " ".join(Page(written(replace(curation, leaks=found), tmp_path)).text.split())
    assert "Of 18 test images 7, drawn at random, were looked at." in text


def test_a_planted_copy_is_found() -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (60, 60, 3), np.uint8) for _ in range(9)]
    images.append(images[0])
    smalls = np.stack([small(to_grey(image)) for image in images])
    hashes = np.array([perceptual_hash(image) for image in images], np.uint64)
    test = np.arange(10) >= 8
    found = leaks(smalls, hashes, np.repeat([0, 1], 5), test, distance=4, seed=0)
    assert found is not None
    assert (found.own.copies, found.own.hash_copies) == (0.5, 0.5)


def test_nothing_to_compare_or_too_much(
    curation: Curation, settings: CurateConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    alone = replace(curation, parts=Split(names=np.full(54, "train"), by="block"))
    alone = replace(alone, summary=curation.summary | {"split_by": "block"}, leaks=None)
    assert measured(alone, settings) is None
    assert "nothing to compare" in Page(written(alone, tmp_path)).text
    monkeypatch.setattr(leaking, "MOST", 50)
    monkeypatch.setattr(report, "MOST", 50)
    assert measured(curation, settings) is None
    text = Page(written(replace(curation, leaks=None), tmp_path)).text
    assert "With more than 50 images this is not measured here" in text


def measured(curation: Curation, settings: CurateConfig) -> leaking.Leaks | None:
    images = [decode(image["bytes"]) for image in curation.table.column("image").to_pylist()]
    return leaks(
        np.stack([small(to_grey(image)) for image in images]),
        curation.table.column("phash").to_numpy(),
        curation.table.column("label").to_numpy(),
        curation.parts.names == "test",
        distance=settings.group_distance,
        seed=0,
    )


# Poses


def test_the_hand_held_otherwise_stands_out_once_a_group(rng: np.random.Generator) -> None:
    points = rng.normal(0, 0.02, (60, 21, 3)).astype(np.float32) + rng.normal(0, 1, (21, 3)).astype(np.float32)
    usual = np.median(points[:40], axis=0)
    points[[7, 8, 9, 20]] += np.array([2, 2.5, 3, 1], np.float32)[:, None, None]
    group = np.arange(60)
    group[[8, 9]] = 7
    label = np.repeat([INDEX["A"], INDEX["B"], INDEX["C"]], [40, 15, 5])
    found = poses(points, label, group)
    assert [(pose.letter, pose.count) for pose in found] == [("A", 40), ("B", 15), ("C", 5)]
    assert [at for at, _ in found[0].far] == [9, 20]
    assert found[0].far[0][1] > found[0].far[1][1] > 3.5
    assert found[1].far == found[2].far == []
    np.testing.assert_allclose(found[0].mean, usual, atol=0.02)


def test_drawings_are_to_one_scale_and_need_none(rng: np.random.Generator) -> None:
    small, large = rng.normal(0, 0.1, (12, 21, 3)), rng.normal(0, 1, (12, 21, 3))
    found = drawings(
        poses(np.concatenate([small, large]).astype(np.float32), np.repeat([0, 1], 12), np.arange(24)),
    )
    views = [drawing.view.split() for drawing in found]
    assert views[0][2:] == views[1][2:]
    assert sum(thumb for _, thumb in found[0].fingers) == 1
    assert drawings([]) == []
