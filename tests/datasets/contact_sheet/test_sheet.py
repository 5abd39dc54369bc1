import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aslkit.core.errors import InputError
from aslkit.core.letters import LETTERS
from aslkit.datasets.contact_sheet import terminal
from aslkit.datasets.contact_sheet.html import render_html
from aslkit.datasets.contact_sheet.png import TILE, render_png
from aslkit.datasets.contact_sheet.select import SIDE, ContactSheet, select_tiles
from aslkit.datasets.contact_sheet.write import write_contact_sheet
from tests.datasets import factories


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return factories.dataset(tmp_path_factory.mktemp("sheet") / "tiny", train=72, test=48)


def select(folder: Path, *, count: int = 4, seed: int = 0, **filters: str) -> ContactSheet:
    return select_tiles(folder, count=count, rng=np.random.default_rng(seed), **filters)


def test_signers_are_represented_equally(tmp_path: Path) -> None:
    rows = [factories.row(index, "ada" if index < 20 else "ben", label=index % 2) for index in range(24)]
    folder = factories.write(tmp_path / "d", {"train": rows})
    sheet = select(folder)
    assert list(sheet.letters) == ["A", "B"]
    for tiles in sheet.letters.values():
        assert Counter(tile.signer for tile in tiles) == {"ada": 2, "ben": 2}
        for tile in tiles:
            assert tile.image is not None
            assert tile.image.shape == (SIDE, SIDE, 3)
    assert sheet.total == 24


def test_near_duplicates_are_selected_last(tmp_path: Path) -> None:
    rows = [factories.row(index, "ada", label=0, group=0 if index < 9 else index) for index in range(12)]
    folder = factories.write(tmp_path / "d", {"train": rows})
    hashes = [factories.row(index, "ada")["sha256"] for index in range(9)]
    tiles = select(folder, count=4).letters["A"]
    assert len(tiles) == 4
    assert len(hashes) == 9
    distinct = {tile.image.tobytes() for tile in tiles if tile.image is not None}
    assert len(distinct) == 4  # the three other images, and one of the nine near-duplicates


def test_selection_depends_on_seed(dataset: Path) -> None:
    one, same, other = (render_png(select(dataset, count=2, seed=seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_filters(dataset: Path) -> None:
    sheet = select(dataset, letter="C", signer="cleo", split="test", count=9)
    assert list(sheet.letters) == ["C"]
    assert {(tile.signer, tile.split) for tile in sheet.letters["C"]} == {("cleo", "test")}
    with pytest.raises(
        InputError, match=r"No image of letter C of signer cleo in train found\. Signers: ada, ben, cleo"
    ):
        select(dataset, letter="C", signer="cleo", split="train")
    with pytest.raises(InputError, match="No image of signer \ufffd"):
        select(dataset, signer="\x1b[2J")


def test_write_png(dataset: Path, tmp_path: Path) -> None:
    assert write_contact_sheet(tmp_path / "a.png", lambda: select(dataset)) == 4 * 24
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG"
        assert image.width > 8 * TILE
        colours = image.convert("RGB").getcolors(1 << 24) or []
    assert len(colours) > 1000  # it contains images
    with pytest.raises(InputError, match=r"ends with \.png or \.html"):
        write_contact_sheet(tmp_path / "a.gif", lambda: select(dataset))


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


def test_html_has_no_scripts_and_no_external_files(hostile: Path) -> None:
    text = render_html(select(hostile))
    assert "<script" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;" in text
    assert "default-src 'none'" in text
    assert 'src="data:image/jpeg;base64,' in text
    assert 'src="http' not in text
    assert text.count("<img") == text.count('alt="')
    assert text.count("damaged") == 2


def test_terminal_output_contains_only_colour_codes(hostile: Path) -> None:
    sheet = select(hostile)
    for name, prefix in (("truecolor", "38;2;"), ("256", "38;5;")):
        output = "\n".join(terminal.render_lines(sheet, width=80, colours=terminal.COLOURS[name]))
        assert prefix in output
        assert "\x1b[31m" not in output
        codes = {part.split("m")[0].split(";")[0] for part in output.split("\x1b[")[1:]}
        assert codes == {"0", "1", "2", "38"}
        assert "damaged" in output


@pytest.mark.parametrize("width", [1, 5, 80, 300])
def test_lines_fit_the_terminal(dataset: Path, width: int) -> None:
    sheet = select(dataset, count=terminal.tiles_per_row(width, single_letter=False), letter="A")
    for line in terminal.render_lines(sheet, width=width, colours=terminal.COLOURS["256"]):
        shown = "".join(part.partition("m")[2] if at else part for at, part in enumerate(line.split("\x1b[")))
        assert len(shown) <= max(width, 4)


def test_png_of_invalid_rows(hostile: Path) -> None:
    with Image.open(io.BytesIO(render_png(select(hostile)))) as image:
        assert image.size[1] > len(LETTERS)
