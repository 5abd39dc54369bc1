"""Helpers to write and parse reports."""

from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.exact_duplicates import Rejection
from aslkit.curate.report import report
from aslkit.curate.report.dataset_leakage import DatasetLeakage, measure_dataset_leakage
from aslkit.curate.report.report import ReportInput
from aslkit.formats.captures import walk_captures
from aslkit.vision.images import decode_image, to_gray
from aslkit.vision.perceptual_hash import downscale_gray

VOID = {"meta", "img", "link", "br", "hr", "wbr", "path"}


class Page(HTMLParser):
    """Content of an HTML page. Fails if an element is not closed."""

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


def write_report(curation: ReportInput, folder: Path) -> str:
    """Write a report and return its text."""
    report.write_report(folder, curation)
    return (folder / report.FILE).read_text(encoding="utf-8")


def make_rejections(workspace: Workspace, reason: str, detail: str = "", *, count: int = 1) -> list[Rejection]:
    """Return rejections of the first frames of a workspace."""
    frames = list(walk_captures(workspace.captures))[:count]
    return [Rejection(frame=frame, reason=reason, detail=detail) for frame in frames]


def measure_leakage_of(curation: ReportInput, settings: CurateConfig) -> DatasetLeakage | None:
    """Measure the data leakage of a dataset from its full images."""
    images = [decode_image(image["bytes"]) for image in curation.table.column("image").to_pylist()]
    return measure_dataset_leakage(
        np.stack([downscale_gray(to_gray(image)) for image in images]),
        curation.table.column("phash").to_numpy(),
        curation.table.column("label").to_numpy(),
        curation.split.names == "test",
        distance=settings.group_distance,
        seed=0,
    )
