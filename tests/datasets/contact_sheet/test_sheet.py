import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aslkit.core.errors import InputError
from aslkit.core.letters import LETTERS
from aslkit.datasets.contact_sheet import terminal
from aslkit.datasets.contact_sheet import write as contact_sheet
from aslkit.datasets.contact_sheet.html import render_html
from aslkit.datasets.contact_sheet.png import TILE, render_png
from aslkit.datasets.contact_sheet.select import SIDE, ContactSheet, select_tiles
from tests.datasets import factories


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return factories.dataset(tmp_path_factory.mktemp("sheet") / "tiny", train=72, test=48)


def chosen(folder: Path, *, count: int = 4, seed: int = 0, **asked: str) -> ContactSheet:
    return select_tiles(folder, count=count, rng=np.random.default_rng(seed), **asked)


def test_each_letter_and_each_signer_has_its_share(tmp_path: Path) -> None:
    rows = [factories.row(index, "ada" if index < 20 else "ben", label=index % 2) for index in range(24)]
    folder = factories.write(tmp_path / "d", {"train": rows})
    found = chosen(folder)
    assert list(found.letters) == ["A", "B"]
    for tiles in found.letters.values():
        assert Counter(tile.signer for tile in tiles) == {"ada": 2, "ben": 2}
        for tile in tiles:
            assert tile.picture is not None
            assert tile.picture.shape == (SIDE, SIDE, 3)
    assert found.of == 24


def test_near_copies_come_last(tmp_path: Path) -> None:
    rows = [factories.row(index, "ada", label=0, group=0 if index < 9 else index) for index in range(12)]
    folder = factories.write(tmp_path / "d", {"train": rows})
    pictures = [factories.row(index, "ada")["sha256"] for index in range(9)]
    found = chosen(folder, count=4).letters["A"]
    assert len(found) == 4
    assert len(pictures) == 9
    distinct = {tile.picture.tobytes() for tile in found if tile.picture is not None}
    assert len(distinct) == 4  # the three that are no copies, and one of the nine


def test_the_seed_decides(dataset: Path) -> None:
    one, same, other = (render_png(chosen(dataset, count=2, seed=seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_what_is_asked_for(dataset: Path) -> None:
    found = chosen(dataset, letter="C", signer="cleo", split="test", count=9)
    assert list(found.letters) == ["C"]
    assert {(tile.signer, tile.split) for tile in found.letters["C"]} == {("cleo", "test")}
    with pytest.raises(InputError, match=r"no image of C of cleo in train\. Signers: ada, ben, cleo"):
        chosen(dataset, letter="C", signer="cleo", split="train")
    with pytest.raises(InputError, match="no image of \ufffd"):
        chosen(dataset, signer="\x1b[2J")


def test_the_picture(dataset: Path, tmp_path: Path) -> None:
    assert contact_sheet.write_contact_sheet(tmp_path / "a.png", lambda: chosen(dataset)) == 4 * 24
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG"
        assert image.width > 8 * TILE
        colours = image.convert("RGB").getcolors(1 << 24) or []
    assert len(colours) > 1000  # there are pictures in it
    with pytest.raises(InputError, match=r"neither with \.png nor with \.html"):
        contact_sheet.write_contact_sheet(tmp_path / "a.gif", lambda: chosen(dataset))


HOSTILE = "<script>alert(1)</script>\x1b[31m\"'>"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    rows = [
        factories.row(0, HOSTILE),
        factories.row(1, "ben", image={"bytes": b"#!/bin/sh", "path": "../x"}),
        factories.row(2, "cleo", image=None),
        factories.row(3, "x" * 500, hand_box=[float("nan"), 0.0, 1.0, 1.0]),
        factories.row(5, "dan", hand_box=[1e30, 1e30, 2e30, 2e30]),
        factories.row(6, "eve", hand_box=[0.5, 0.5, 0.5, 0.5]),
        factories.row(7, "fay", label=77),
    ]
    return factories.write(tmp_path / "hostile", {"train": rows})


def test_the_page_runs_nothing_and_needs_nothing(hostile: Path) -> None:
    text = render_html(chosen(hostile))
    assert "<script" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;" in text
    assert "default-src 'none'" in text
    assert 'src="data:image/jpeg;base64,' in text
    assert 'src="http' not in text
    assert text.count("<img") == text.count('alt="')
    assert text.count("damaged") == 2


def test_the_terminal_gets_colours_and_names_and_no_commands(hostile: Path) -> None:
    found = chosen(hostile)
    for name, prefix in (("truecolor", "38;2;"), ("256", "38;5;")):
        told = "\n".join(terminal.render_lines(found, width=80, colours=terminal.COLOURS[name]))
        assert prefix in told
        assert "\x1b[31m" not in told
        codes = {part.split("m")[0].split(";")[0] for part in told.split("\x1b[")[1:]}
        assert codes == {"0", "1", "2", "38"}
        assert "damaged" in told


@pytest.mark.parametrize("width", [1, 5, 80, 300])
def test_no_line_is_wider_than_the_terminal(dataset: Path, width: int) -> None:
    found = chosen(dataset, count=terminal.tiles_per_row(width, one=False), letter="A")
    for line in terminal.render_lines(found, width=width, colours=terminal.COLOURS["256"]):
        shown = "".join(part.partition("m")[2] if at else part for at, part in enumerate(line.split("\x1b[")))
        assert len(shown) <= max(width, 4)


def test_pictures_of_odd_rows_are_drawn(hostile: Path) -> None:
    with Image.open(io.BytesIO(render_png(chosen(hostile)))) as image:
        assert image.size[1] > len(LETTERS)
