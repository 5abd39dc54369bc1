import hashlib
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from aslkit.curate.measure.measure import BYTES_SCHEMA, MEASURED_SCHEMA, MeasureOptions, measure_batch
from aslkit.vision.images import Frame, decode_image, encode_jpeg, perceptual_hash, pixel_hash

OPTIONS = MeasureOptions(min_confidence=0.3, second_try=True)


def make_batch(*files: bytes) -> pa.RecordBatch:
    rows = [{"content": hashlib.sha256(data).hexdigest(), "bytes": data} for data in files]
    return pa.RecordBatch.from_pylist(rows, BYTES_SCHEMA)


@pytest.fixture(scope="module")
def files(picture: Frame) -> tuple[bytes, ...]:
    """Return a hand, a damaged file, a plain image, and the hand mirrored."""
    plain = np.full((120, 160, 3), 90, np.uint8)
    return encode_jpeg(picture), b"damaged", encode_jpeg(plain), encode_jpeg(np.ascontiguousarray(picture[:, ::-1]))


@pytest.fixture(scope="module")
def measurements(files: tuple[bytes, ...]) -> pa.RecordBatch:
    return measure_batch(make_batch(*files), OPTIONS)


def test_one_row_per_image_in_the_same_order(measurements: pa.RecordBatch, files: tuple[bytes, ...]) -> None:
    assert measurements.schema == MEASURED_SCHEMA
    assert measurements.column("content") == make_batch(*files).column("content")


def test_row_depends_only_on_its_image(measurements: pa.RecordBatch, files: tuple[bytes, ...]) -> None:
    reversed_rows = measure_batch(make_batch(*reversed(files)), OPTIONS)
    one_by_one = pa.Table.from_batches([measure_batch(make_batch(data), OPTIONS) for data in files])
    assert reversed_rows.to_pylist() == measurements.to_pylist()[::-1]
    assert one_by_one.to_pylist() == measurements.to_pylist()


def test_row_is_the_same_in_another_process(measurements: pa.RecordBatch, files: tuple[bytes, ...]) -> None:
    code = (
        "import sys, pyarrow as pa\n"
        "from aslkit.curate.measure.measure import MeasureOptions, measure_batch\n"
        "batch = pa.ipc.open_stream(sys.stdin.buffer).read_next_batch()\n"
        "out = measure_batch(batch, MeasureOptions(min_confidence=0.3, second_try=True))\n"
        "with pa.ipc.new_stream(sys.stdout.buffer, out.schema) as sink: sink.write_batch(out)\n"
    )
    stdin = pa.BufferOutputStream()
    with pa.ipc.new_stream(stdin, BYTES_SCHEMA) as sink:
        sink.write_batch(make_batch(*files))
    done = subprocess.run([sys.executable, "-c", code], input=stdin.getvalue().to_pybytes(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert pa.ipc.open_stream(done.stdout).read_next_batch().equals(measurements)


def test_undecodable_file_has_only_an_error(measurements: pa.RecordBatch) -> None:
    row = measurements.to_pylist()[1]
    assert row.pop("content")
    assert row.pop("error") == "not an image (JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC)"
    assert set(row.values()) == {None}


def test_image_without_a_hand_is_measured(measurements: pa.RecordBatch) -> None:
    row = measurements.to_pylist()[2]
    assert row["error"] is None
    assert (row["width"], row["height"]) == (160, 120)
    assert row["brightness"] == pytest.approx(90 / 255, abs=0.01)
    assert row["landmarks"] is row["handedness"] is row["hand_score"] is row["hand_box"] is None


def test_hand_is_found_and_mirrored_hand_is_mirrored(measurements: pa.RecordBatch, files: tuple[bytes, ...]) -> None:
    row, _, _, mirror = measurements.to_pylist()
    frame = decode_image(files[0])
    assert (row["sha256"], row["phash"]) == (pixel_hash(frame), perceptual_hash(frame))
    points = np.array(row["landmarks"], np.float32).reshape(21, 3)
    assert row["hand_box"] == pytest.approx([*points[:, :2].min(axis=0), *points[:, :2].max(axis=0)])
    assert 0.5 <= row["hand_score"] <= 1
    assert {row["handedness"], mirror["handedness"]} == {"left", "right"}
    mirrored = np.array(mirror["landmarks"], np.float32).reshape(21, 3)
    assert np.abs(1 - mirrored[:, 0] - points[:, 0]).mean() < 0.03


def test_smallest_and_narrowest_images_do_not_crash_opencv() -> None:
    # In a separate process, because OpenCV could abort.
    code = (
        "import numpy as np, pyarrow as pa\n"
        "from aslkit.curate.measure.measure import BYTES_SCHEMA, MeasureOptions, measure_batch\n"
        "from aslkit.vision.images import MAX_SIDE, MIN_SIDE, encode_png\n"
        "sizes = (MIN_SIDE, MIN_SIDE), (MIN_SIDE, MAX_SIDE), (MAX_SIDE, MIN_SIDE)\n"
        "rows = [{'content': 'x', 'bytes': encode_png(np.zeros((*size, 3), np.uint8))} for size in sizes]\n"
        "options = MeasureOptions(min_confidence=0.3, second_try=True)\n"
        "measurements = measure_batch(pa.RecordBatch.from_pylist(rows, BYTES_SCHEMA), options)\n"
        "print(measurements.column('error').to_pylist())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[None, None, None]\n", done.stderr[-2000:]
