"""Damaged and unusual files among the captures: each one is kept or rejected with a reason."""

import io
import os
import random
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from aslkit.core.config import load_settings
from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.checks import CheckConfig
from aslkit.curate.measure.engine import Local
from aslkit.curate.pipeline import curate
from aslkit.datasets import parquet_store
from aslkit.formats.captures import unopenable_files, walk_captures
from aslkit.vision.images import Frame, decode_image, encode_jpeg, encode_png


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def make_bomb(width: int, height: int) -> bytes:
    """Return a decompression bomb: a PNG of a few kilobytes that claims to be huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1_000_000), 9)) + chunk(b"IEND", b"")


def make_exif(orientation: int) -> Image.Exif:
    values = Image.Exif()
    values[274] = orientation
    return values


KINDS: dict[str, Callable[[Image.Image], bytes]] = {
    "cmyk.jpg": lambda image: save(image.convert("CMYK"), "JPEG"),
    "alpha.png": lambda image: save(image.convert("RGBA"), "PNG"),
    "palette.png": lambda image: save(image.convert("P"), "PNG"),
    "grey.webp": lambda image: save(image.convert("L"), "WEBP"),
    "16-bit.png": lambda image: save(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257), "PNG"),
    "turned.jpg": lambda image: save(image, "JPEG", exif=make_exif(6)),
    "animated.webp": lambda image: save(image, "WEBP", save_all=True, append_images=[image.rotate(180)]),
    "film.png": lambda image: save(image, "PNG", save_all=True, append_images=[image.rotate(180)]),
    "gif.jpg": lambda image: save(image, "GIF"),
    "tiff.png": lambda image: save(image, "TIFF"),
    "png.jpg": lambda image: save(image, "PNG"),
    "empty.jpg": lambda _: b"",
    "bomb.png": lambda _: make_bomb(60_000, 60_000),
    "wide bomb.png": lambda _: make_bomb(2**31 - 1, 1),
    "two\nlines.jpg": lambda image: save(image, "JPEG"),
    "\x1b[31mred.jpg": lambda image: save(image, "JPEG", quality=80),
    "<script>alert(1)<&script>.jpg": lambda image: save(image, "JPEG", quality=70),
    os.fsdecode(b"\xff\xfe.jpg"): lambda image: save(image, "JPEG", quality=60),
}


@pytest.fixture
def messy(workspace: Workspace, picture: Frame) -> Workspace:
    """Return a workspace with 18 unusual, 60 truncated and 60 corrupt images, and four entries that are not files."""
    folder = workspace.captures / "ada" / "one" / "A"
    image = Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1]))
    for name, make in KINDS.items():
        (folder / name).write_bytes(make(image))
    rng = random.Random(0)
    images = [encode_jpeg(picture), encode_png(picture), save(image, "WEBP")]
    for number in range(60):
        data = images[number % 3]
        (folder / f"truncated-{number}.jpg").write_bytes(data[: rng.randrange(len(data))])
        corrupt = bytearray(data)
        for _ in range(rng.choice([1, 5, 100])):
            corrupt[rng.randrange(len(corrupt))] ^= 1 << rng.randrange(8)
        (folder / f"corrupt-{number}.png").write_bytes(corrupt)
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")
    (folder / "nowhere.jpg").symlink_to(folder / "nothing.jpg")
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    return workspace


def test_every_file_is_kept_or_rejected(
    messy: Workspace, settings: CurateConfig, measured_files: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    result = curate(
        messy, name="messy", config=settings, checks=load_settings("checks", CheckConfig), engine=Local(processes=1)
    )
    unopenable = {frame.key for frame in unopenable_files(messy.captures)}
    assert unopenable == {f"ada/one/A/{name}.jpg" for name in ("loop", "nowhere", "folder", "pipe")}
    names = {frame.key for frame in walk_captures(messy.captures)} | unopenable
    kept = parquet_store.read_dataset(result.folder).to_pylist()
    rejected = parquet_store.read_rejected(result.folder).to_pylist()
    assert sorted([*(row["image"]["path"] for row in kept), *(row["path"] for row in rejected)]) == sorted(names)
    assert all(row["reason"] and row["detail"] for row in rejected)
    for row in kept:
        assert decode_image(row["image"]["bytes"]).shape == (row["height"], row["width"], 3)
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "\x1b" not in page
    assert capfd.readouterr().err == ""


def test_image_with_damaged_metadata_is_readable(workspace: Workspace, picture: Frame) -> None:
    data = bytearray(save(Image.fromarray(picture), "WEBP", exif=make_exif(1)))
    at = data.index(b"EXIF")
    data[at + 8 : at + 20] = b"\xff" * 12
    (workspace.captures / "ada" / "one" / "A" / "odd.webp").write_bytes(data)
    checks = load_settings("checks", CheckConfig)
    result = curate(
        workspace, name="odd", config=load_settings("curate", CurateConfig), checks=checks, engine=Local(processes=1)
    )
    assert result.summary["rejected"].get("unreadable", 0) == 0
