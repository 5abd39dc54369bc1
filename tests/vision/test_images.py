import io
import struct
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from aslkit.vision import image_formats, images
from aslkit.vision.images import Frame, ImageError
from aslkit.vision.jpeg import strip_jpeg_metadata

NOISE = np.random.default_rng(3).integers(0, 256, (48, 64, 3), np.uint8)
SMOOTH = np.asarray(cv2.GaussianBlur(NOISE, (0, 0), 4), np.uint8)
JPEG = images.encode_jpeg(SMOOTH)
PNG = images.encode_png(SMOOTH)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width: int, height: int) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(*, orientation: int | None = None) -> Image.Exif:
    said = Image.Exif()
    said[ExifTags.Base.Artist] = "SECRET-NAME"
    said.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSDateStamp] = "SECRET-PLACE"
    if orientation:
        said[ExifTags.Base.Orientation] = orientation
    return said


def rgb(frame: Frame) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(frame[:, :, ::-1]))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty file"),
        (b"these are my holiday photographs", "not an image"),
        (b"\xff\xd8\xff", "not an image"),
        (b"GIF89a" + bytes(100), "not an image"),
        (b"\0\0\0\x18ftypheic" + bytes(100), "not an image"),
        (b"\0\0\0\x18ftypavif" + bytes(100), "not an image"),
        (b"II*\0" + bytes(100), "not an image"),
        (JPEG[:-60], "damaged or cut short"),
        (PNG[: len(PNG) // 2], "damaged or cut short"),
        (images.encode_png(NOISE[:8]), "too small (64×8"),
        (png_claiming(16, 16_001), "too large (16×16001"),  # MediaPipe would end the process
        (png_claiming(7_072, 7_072), "too large (7072×7072"),
    ],
)
def test_non_image_gives_short_error(data: bytes, words: str) -> None:
    with pytest.raises(ImageError) as caught:
        images.decode_image(data)
    assert words in caught.value.message


@pytest.mark.parametrize("side", [10_000, 13_000, 30_000, 2**31 - 1])
def test_decompression_bomb_is_rejected_by_header(side: int) -> None:
    bomb = png_claiming(side, side)
    tracemalloc.start()
    with pytest.raises(ImageError, match=rf"too large \({side}×{side}, more than 50,000,000 pixels"):
        images.decode_image(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_huge_file_is_not_read_completely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (images, image_formats):
        monkeypatch.setattr(module, "MAX_BYTES", 1000)
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a terabyte that takes no place
    data = images.read_image_file(path)
    assert len(data) == 1001
    with pytest.raises(ImageError, match="more than 1,000 bytes"):
        images.read_header(data)


GREY = cv2.cvtColor(SMOOTH, cv2.COLOR_BGR2GRAY)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (saved(Image.fromarray(GREY), "PNG"), np.dstack([GREY] * 3)),
        (saved(rgb(SMOOTH).convert("RGBA"), "PNG"), SMOOTH),
        (cv2.imencode(".png", GREY.astype(np.uint16) * 257)[1].tobytes(), np.dstack([GREY] * 3)),
        (cv2.imencode(".png", SMOOTH.astype(np.uint16) * 257)[1].tobytes(), SMOOTH),
        (saved(Image.fromarray(GREY).convert("P"), "PNG"), np.dstack([GREY] * 3)),
        (saved(rgb(SMOOTH), "BMP"), SMOOTH),
        (saved(rgb(SMOOTH), "WEBP", lossless=True), SMOOTH),
        (saved(rgb(SMOOTH), "TIFF"), SMOOTH),
        (saved(rgb(SMOOTH), "TIFF", compression="tiff_lzw"), SMOOTH),
        (saved(Image.fromarray(GREY.astype(np.uint16) * 257), "TIFF"), np.dstack([GREY] * 3)),
        (saved(Image.fromarray(GREY), "GIF"), np.dstack([GREY] * 3)),
        (saved(Image.fromarray(GREY), "GIF", save_all=True, append_images=[rgb(NOISE)]), np.dstack([GREY] * 3)),
    ],
    ids=["grey", "opaque", "16-bit grey", "16-bit", "palette", "BMP", "WebP", "TIFF", "TIFF, LZW", "TIFF, 16-bit grey",
         "GIF", "animated GIF"],
)  # fmt: skip
def test_every_pixel_format_is_converted_to_bgr(data: bytes, expected: Frame) -> None:
    frame = images.decode_image(data)
    assert frame.dtype == np.uint8
    assert frame.flags.c_contiguous
    np.testing.assert_array_equal(frame, expected)


def hand_cut_out_of(room: Frame) -> Image.Image:
    """An RGBA image of a hand-like ellipse with a soft edge; the room around it is transparent, but stored."""
    alpha = np.zeros(room.shape[:2], np.uint8)
    cv2.ellipse(alpha, (32, 24), (20, 15), 0, 0, 360, 255, -1)
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 1), np.uint8)
    pixels = np.where(alpha[..., None] > 0, SMOOTH, room)
    return Image.fromarray(np.dstack([pixels[:, :, ::-1], alpha]))


def on_white(picture: Image.Image) -> Frame:
    """What a white page shows, computed in floating point."""
    pixels = np.asarray(picture.convert("RGBA")).astype(float)
    share = pixels[..., 3:] / 255
    return np.asarray(np.round(pixels[..., 2::-1] * share + 255 * (1 - share)), np.uint8)


@pytest.mark.parametrize(
    ("form", "mode"),
    [("PNG", "RGBA"), ("PNG", "LA"), ("PNG", "P"), ("WEBP", "RGBA"), ("TIFF", "RGBA"), ("TIFF", "LA")],
)
def test_what_transparency_hides_does_not_come_back(form: str, mode: str) -> None:
    options = {"WEBP": {"lossless": True, "exact": True}}.get(form, {})
    frames = []
    for room in (NOISE, np.zeros_like(NOISE)):
        cut_out = hand_cut_out_of(room).convert(mode)
        data = saved(cut_out, form, **options)
        frames.append(images.decode_image(data))
        np.testing.assert_allclose(frames[-1].astype(int), on_white(cut_out), atol=1)
        stored, suffix = images.normalize_image_file(data, mirrored=False)
        assert suffix == ".png"
        for cleaned in (stored, images.strip_metadata(data)):
            with Image.open(io.BytesIO(cleaned)) as opened:
                assert opened.mode == "RGB"
            np.testing.assert_array_equal(images.decode_image(cleaned), frames[-1])
    if mode != "P":  # whose colours are quantised
        assert images.pixel_hash(frames[0]) == images.pixel_hash(frames[1])


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_transparent_colour_becomes_white(form: str) -> None:
    picture = Image.fromarray(GREY)
    colour = int(GREY[0, 0])
    expected = np.where(colour == GREY, 255, GREY)
    for data in (
        saved(picture, form, transparency=colour),
        saved(picture.convert("P"), form, transparency=colour),
    ):
        np.testing.assert_array_equal(images.decode_image(data), np.dstack([expected] * 3))


def test_transparent_16_bit_gray_becomes_white() -> None:
    data = saved(Image.fromarray(GREY.astype(np.uint16) * 257), "PNG", transparency=int(GREY[0, 0]) * 257)
    expected = np.where(GREY[0, 0] == GREY, 255, GREY)
    np.testing.assert_array_equal(images.decode_image(data), np.dstack([expected] * 3))


def test_picture_that_is_only_in_its_alpha_is_seen() -> None:
    drawing = Image.fromarray(np.dstack([np.zeros_like(SMOOTH), 255 - GREY]))
    np.testing.assert_array_equal(images.decode_image(saved(drawing, "PNG")), np.dstack([GREY] * 3))


def test_32_bit_gray_is_rejected() -> None:
    for values in (GREY.astype(np.float32) / 255, GREY.astype(np.int32) * 70_000):
        with pytest.raises(ImageError, match="32 bits"):
            images.decode_image(saved(Image.fromarray(values), "TIFF"))


@pytest.mark.parametrize(("form", "orientation"), [("HEIF", 1), ("AVIF", 6)])
def test_photographs_of_phones_are_read_upright(form: str, orientation: int) -> None:
    # HEIF stores the rotation in a box of its own, which libheif applies; its EXIF orientation must be ignored.
    if form == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    picture = np.full((48, 64, 3), 200, np.uint8)
    picture[:16, :16] = 0
    data = saved(rgb(picture), form, quality=90, exif=exif(orientation=orientation))
    stored, suffix = images.normalize_image_file(data, mirrored=False)
    assert suffix == ".jpg"
    assert b"SECRET" not in stored
    for each in (data, stored, images.strip_metadata(data)):
        frame = images.decode_image(each)
        assert frame.shape == ((64, 48, 3) if orientation == 6 else (48, 64, 3))
        assert frame[4, -4 if orientation == 6 else 4].max() < 40
        assert (frame < 100).mean() == pytest.approx(256 / (48 * 64), abs=0.02)


def test_heic_without_its_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match=r"a HEIC image; to read it, run `.*`, or convert it to JPEG"):
        images.decode_image(b"\0\0\0\x18ftypheic" + bytes(100))


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.jfif", b"", True),
        ("a.HEIC", b"", True),
        ("photo", JPEG, True),
        ("photo.bin", PNG, True),
        ("photo.dat", saved(rgb(SMOOTH), "WEBP"), True),
        ("photo.x", saved(rgb(SMOOTH), "AVIF"), True),
        ("film.mov", b"\0\0\0\x14ftypqt  ", False),
        ("notes.txt", b"a letter to my aunt", False),
        ("empty", b"", False),
    ],
)
def test_images_are_recognised_by_name_or_content(tmp_path: Path, name: str, data: bytes, expected: bool) -> None:
    (tmp_path / name).write_bytes(data)
    assert image_formats.is_image_file(tmp_path / name) == expected
    assert not image_formats.is_image_file(tmp_path)


def test_cmyk_jpeg_is_read() -> None:
    assert images.decode_image(saved(rgb(SMOOTH).convert("CMYK"), "JPEG")).shape == SMOOTH.shape


@pytest.mark.parametrize("encode", [images.encode_jpeg, images.encode_png])
def test_header_contains_format_and_size(encode: Callable[[Frame], bytes]) -> None:
    header = images.read_header(encode(SMOOTH))
    assert (header.format, header.width, header.height) == (encode.__name__[7:].upper(), 64, 48)
    assert header.upright


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(orientation: int) -> None:
    # One black corner: its position and the shape distinguish all eight orientations.
    picture = np.full((48, 64, 3), 200, np.uint8)
    picture[:16, :16] = 0
    turned = saved(rgb(picture), "JPEG", quality=95, exif=exif(orientation=orientation))
    corner = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}
    recorded, suffix = images.normalize_image_file(turned, mirrored=False)
    assert suffix == ".jpg"
    assert b"SECRET" not in recorded
    for data in (turned, recorded):
        frame = images.decode_image(data)
        assert frame.shape == ((48, 64, 3) if orientation < 5 else (64, 48, 3))
        assert frame[corner[orientation]].max() < 20
        assert (frame < 100).mean() == pytest.approx(256 / (48 * 64), abs=0.02)


def test_image_with_damaged_exif_is_decoded() -> None:
    broken = JPEG[:2] + segment(0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff") + JPEG[2:]
    np.testing.assert_array_equal(images.decode_image(broken), images.decode_image(JPEG))
    assert images.normalize_image_file(broken, mirrored=False) == (JPEG, ".jpg")


PLAIN = {
    "as recorded": JPEG,
    "as Pillow writes it": saved(rgb(NOISE), "JPEG"),
    "progressive": saved(rgb(SMOOTH), "JPEG", progressive=True),
    "whole colours": saved(rgb(NOISE), "JPEG", subsampling=0),
    "half colours": saved(rgb(NOISE), "JPEG", subsampling=1),
    "restarts": saved(rgb(NOISE), "JPEG", restart_marker_rows=1),
    "grey": saved(Image.fromarray(GREY), "JPEG"),
}


def with_pillow(function: Callable[[bytes], object], data: bytes) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "jpeg_size", lambda _: None)
        return outcome(function, data)


def outcome(function: Callable[[bytes], object], data: bytes) -> object:
    try:
        found = function(data)
    except ImageError as error:
        return error.message
    return images.pixel_hash(found) if isinstance(found, np.ndarray) else found


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_fast_jpeg_decoder_gives_same_pixels_as_pillow(data: bytes) -> None:
    expected = [with_pillow(function, data) for function in (images.decode_image, images.read_header)]
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(images, "open_image")
        assert [outcome(function, data) for function in (images.decode_image, images.read_header)] == expected


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(sorted(PLAIN.values())),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
    st.floats(0.3, 1),
    st.sampled_from([b"", b"\xff\xd9"]),
)
def test_damaged_jpegs_give_same_result_as_pillow(
    valid: bytes, changes: list[tuple[float, int]], end: float, tail: bytes
) -> None:
    data = bytearray(valid)
    for place, value in changes:
        data[int(place * len(data))] = value
    damaged = bytes(data[: int(len(data) * end)]) + tail
    for function in (images.decode_image, images.read_header):
        assert outcome(function, damaged) == with_pillow(function, damaged)


def test_strip_metadata_keeps_pixels() -> None:
    personal = [segment(marker, b"SECRET") for marker in (*range(0xE1, 0xEE), 0xEF, 0xFE)]
    full = JPEG[:2] + b"".join(personal) + b"\xff\xff\xff" + JPEG[2:] + b"SECRET second picture or film"
    stripped = strip_jpeg_metadata(full)
    assert b"SECRET" not in stripped
    assert stripped == JPEG
    assert strip_jpeg_metadata(stripped) == stripped


def test_exif_written_by_pillow_is_removed() -> None:
    data = saved(rgb(SMOOTH), "JPEG", exif=exif(), comment=b"SECRET-COMMENT", icc_profile=b"SECRET-PROFILE")
    assert data.count(b"SECRET") == 4
    stripped, _ = images.normalize_image_file(data, mirrored=False)
    assert b"SECRET" not in stripped
    np.testing.assert_array_equal(images.decode_image(stripped), images.decode_image(data))


def test_progressive_jpeg_with_a_comment_between_scans() -> None:
    data = saved(rgb(NOISE), "JPEG", progressive=True, quality=90)
    scan = data.rindex(b"\xff\xda")
    full = data[:scan] + segment(0xFE, b"SECRET") + data[scan:]
    assert strip_jpeg_metadata(full) == data


def test_adobe_colour_marker_is_kept() -> None:
    data = saved(rgb(SMOOTH).convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in strip_jpeg_metadata(data)
    np.testing.assert_array_equal(images.decode_image(strip_jpeg_metadata(data)), images.decode_image(data))


def test_first_image_of_multi_picture_jpeg_is_used() -> None:
    """Phones append previews with their own EXIF; Pillow calls this format MPO."""
    data = saved(rgb(SMOOTH), "MPO", save_all=True, append_images=[rgb(NOISE)], exif=exif(orientation=6))
    assert images.read_header(data).format == "JPEG"
    assert not images.read_header(data).upright
    recorded, suffix = images.normalize_image_file(data, mirrored=False)
    assert suffix == ".jpg"
    assert images.decode_image(recorded).shape == (64, 48, 3)


@pytest.mark.parametrize("length", [b"\0\0", b"\0\1", b"\xff\xff"])
@pytest.mark.parametrize("marker", [0xE1, 0xDB, 0xFE])
def test_malformed_segments_terminate_without_loss(marker: int, length: bytes) -> None:
    malformed = JPEG[:2] + bytes([0xFF, marker]) + length + JPEG[2:]
    assert strip_jpeg_metadata(malformed) == malformed


def test_shared_images_have_no_metadata() -> None:
    from PIL import PngImagePlugin

    said = PngImagePlugin.PngInfo()
    said.add_text("Author", "SECRET")
    for data in (
        saved(rgb(SMOOTH), "JPEG", exif=exif()),
        saved(rgb(SMOOTH), "JPEG", exif=exif(orientation=6)),
        saved(rgb(SMOOTH), "PNG", pnginfo=said),
        saved(rgb(SMOOTH), "PNG", exif=exif(orientation=3)),
        saved(rgb(SMOOTH), "WEBP", exif=exif()),
    ):
        assert b"SECRET" in data
        clean = images.strip_metadata(data)
        assert b"SECRET" not in clean
        assert images.pixel_hash(images.decode_image(clean)) == images.pixel_hash(images.decode_image(data))
    assert images.strip_metadata(PNG) is PNG
    assert images.strip_metadata(JPEG) == JPEG


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", ".jpg", ".png", ".webp"])
def test_encoded_images_have_no_metadata(form: str, grey: bool) -> None:
    frame = SMOOTH[..., 0] if grey else SMOOTH
    data = cv2.imencode(form, frame)[1].tobytes() if form.startswith(".") else saved(Image.fromarray(frame), form)
    assert images.strip_metadata(data) == data


def test_mirrored_png_is_lossless() -> None:
    once, suffix = images.normalize_image_file(PNG, mirrored=True)
    assert suffix == ".png"
    np.testing.assert_array_equal(images.decode_image(once), SMOOTH[:, ::-1])
    twice, _ = images.normalize_image_file(once, mirrored=True)
    np.testing.assert_array_equal(images.decode_image(twice), SMOOTH)


def test_mirrored_jpeg_is_almost_lossless() -> None:
    once, suffix = images.normalize_image_file(JPEG, mirrored=True)
    assert suffix == ".jpg"
    assert np.abs(images.decode_image(once).astype(int) - images.decode_image(JPEG)[:, ::-1]).mean() < 1.5


def test_pixel_hash_depends_on_pixels_only() -> None:
    bmp = images.decode_image(saved(rgb(SMOOTH), "BMP"))
    assert images.pixel_hash(bmp) == images.pixel_hash(images.decode_image(PNG)) == images.pixel_hash(SMOOTH)
    other = SMOOTH.copy()
    other[47, 63, 2] ^= 1
    assert images.pixel_hash(other) != images.pixel_hash(SMOOTH)
    # The same bytes in another shape are another picture.
    assert images.pixel_hash(SMOOTH.reshape(64, 48, 3)) != images.pixel_hash(SMOOTH)


def test_perceptual_hash_depends_on_image_content(picture: Frame) -> None:
    def max_difference(left: Frame, right: Frame) -> int:
        return (images.perceptual_hash(left) ^ images.perceptual_hash(right)).bit_count()

    assert max_difference(picture, images.decode_image(images.encode_jpeg(picture, quality=60))) <= 4
    assert max_difference(picture, np.clip(picture.astype(int) + 8, 0, 255).astype(np.uint8)) <= 4
    assert max_difference(picture, np.asarray(cv2.resize(picture, (480, 360)), np.uint8)) <= 4
    assert max_difference(picture, np.ascontiguousarray(picture[:, ::-1])) > 12
    assert max_difference(picture, NOISE) > 12
    assert 0 <= images.perceptual_hash(np.zeros((20, 20, 3), np.uint8)) < 2**64


def test_quality_metrics_measure_their_property(picture: Frame) -> None:
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 4), np.uint8)
    assert images.measure_quality(blurred).sharpness < 0.3 * images.measure_quality(picture).sharpness
    assert images.measure_quality(np.asarray(picture // 2, np.uint8)).brightness == pytest.approx(
        images.measure_quality(picture).brightness / 2, abs=0.01
    )
    flat = images.measure_quality(np.full((40, 40, 3), 51, np.uint8))
    assert flat.sharpness == flat.contrast == 0
    assert flat.brightness == pytest.approx(0.2)


def test_thinnest_accepted_image_can_be_measured() -> None:
    thin = images.decode_image(images.encode_png(np.zeros((16, images.MAX_SIDE, 3), np.uint8)))
    assert images.measure_quality(thin).sharpness == 0
    assert images.perceptual_hash(thin) >= 0


def only_image_errors(data: bytes) -> None:
    for function in (images.read_header, images.decode_image, images.strip_metadata):
        with suppress(ImageError):
            function(data)
    assert len(strip_jpeg_metadata(data)) <= len(data)


@settings(deadline=None, max_examples=80)
@given(st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 ", b"BM"]), st.binary())
def test_any_bytes_give_image_or_error(magic: bytes, data: bytes) -> None:
    only_image_errors(magic + data)


SEEDS = [
    JPEG,
    PNG,
    saved(rgb(SMOOTH), "JPEG", exif=exif(orientation=6), progressive=True),
    saved(rgb(SMOOTH), "WEBP", exif=exif()),
    saved(rgb(SMOOTH), "BMP"),
    saved(rgb(SMOOTH), "TIFF", compression="jpeg"),
    saved(rgb(SMOOTH), "GIF"),
    saved(rgb(SMOOTH), "AVIF"),
    saved(Image.fromarray(GREY).convert("P"), "PNG", transparency=bytes(range(256)), exif=exif(orientation=5)),
]


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    st.floats(0.02, 1),
)
def test_mutated_files_give_image_or_error(valid: bytes, changes: list[tuple[float, int]], end: float) -> None:
    data = bytearray(valid)
    for place, value in changes:
        data[int(place**3 * len(data))] = value  # most of them near the beginning, where the structure is
    only_image_errors(bytes(data[: int(len(data) * end)]))
