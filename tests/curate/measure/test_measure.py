import hashlib
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from aslkit.curate.measure.measure import GIVEN, MEASURED_SCHEMA, MeasureOptions, measure_batch
from aslkit.vision.images import Frame, decode_image, encode_jpeg, perceptual_hash, pixel_hash

LOOKING = MeasureOptions(min_confidence=0.3, second_try=True)


def given(*files: bytes) -> pa.RecordBatch:
    rows = [{"content": hashlib.sha256(data).hexdigest(), "bytes": data} for data in files]
    return pa.RecordBatch.from_pylist(rows, GIVEN)


@pytest.fixture(scope="module")
def files(picture: Frame) -> tuple[bytes, ...]:
    """A hand, damage, no hand, the same hand turned round."""
    room = np.full((120, 160, 3), 90, np.uint8)
    return encode_jpeg(picture), b"damaged", encode_jpeg(room), encode_jpeg(np.ascontiguousarray(picture[:, ::-1]))


@pytest.fixture(scope="module")
def described(files: tuple[bytes, ...]) -> pa.RecordBatch:
    return measure_batch(given(*files), LOOKING)


def test_one_row_for_each_image_in_the_same_order(described: pa.RecordBatch, files: tuple[bytes, ...]) -> None:
    assert described.schema == MEASURED_SCHEMA
    assert described.column("content") == given(*files).column("content")


def test_a_row_depends_on_its_image_alone(described: pa.RecordBatch, files: tuple[bytes, ...]) -> None:
    backwards = measure_batch(given(*reversed(files)), LOOKING)
    alone = pa.Table.from_batches([measure_batch(given(data), LOOKING) for data in files])
    assert backwards.to_pylist() == described.to_pylist()[::-1]
    assert alone.to_pylist() == described.to_pylist()


def test_a_row_is_the_same_in_another_process(described: pa.RecordBatch, files: tuple[bytes, ...]) -> None:
    code = (
        "import sys, pyarrow as pa\n"
        "from aslkit.curate.measure.measure import MeasureOptions, measure_batch\n"
        "batch = pa.ipc.open_stream(sys.stdin.buffer).read_next_batch()\n"
        "out = measure_batch(batch, MeasureOptions(min_confidence=0.3, second_try=True))\n"
        "with pa.ipc.new_stream(sys.stdout.buffer, out.schema) as sink: sink.write_batch(out)\n"
    )
    sent = pa.BufferOutputStream()
    with pa.ipc.new_stream(sent, GIVEN) as sink:
        sink.write_batch(given(*files))
    done = subprocess.run([sys.executable, "-c", code], input=sent.getvalue().to_pybytes(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert pa.ipc.open_stream(done.stdout).read_next_batch().equals(described)


def test_what_cannot_be_decoded_has_an_error_and_nothing_else(described: pa.RecordBatch) -> None:
    row = described.to_pylist()[1]
    assert row.pop("content")
    assert row.pop("error") == "not an image (JPEG, PNG, WebP or BMP)"
    assert set(row.values()) == {None}


def test_an_image_without_a_hand_is_measured_all_the_same(described: pa.RecordBatch) -> None:
    row = described.to_pylist()[2]
    assert row["error"] is None
    assert (row["width"], row["height"]) == (160, 120)
    assert row["brightness"] == pytest.approx(90 / 255, abs=0.01)
    assert row["landmarks"] is row["handedness"] is row["hand_score"] is row["hand_box"] is None


def test_a_hand_is_found_where_it_is(described: pa.RecordBatch, files: tuple[bytes, ...]) -> None:
    row, _, _, mirror = described.to_pylist()
    frame = decode_image(files[0])
    assert (row["sha256"], row["phash"]) == (pixel_hash(frame), perceptual_hash(frame))
    points = np.array(row["landmarks"], np.float32).reshape(21, 3)
    assert row["hand_box"] == pytest.approx([*points[:, :2].min(axis=0), *points[:, :2].max(axis=0)])
    assert 0.5 <= row["hand_score"] <= 1
    assert {row["handedness"], mirror["handedness"]} == {"left", "right"}
    turned = np.array(mirror["landmarks"], np.float32).reshape(21, 3)
    assert np.abs(1 - turned[:, 0] - points[:, 0]).mean() < 0.03


def test_the_smallest_and_the_thinnest_images_do_not_end_the_process() -> None:
    # In a process of its own: OpenCV would abort this one.
    code = (
        "import numpy as np, pyarrow as pa\n"
        "from aslkit.curate.measure.measure import GIVEN, MeasureOptions, measure_batch\n"
        "from aslkit.vision.images import MAX_SIDE, MIN_SIDE, encode_png\n"
        "sizes = (MIN_SIDE, MIN_SIDE), (MIN_SIDE, MAX_SIDE), (MAX_SIDE, MIN_SIDE)\n"
        "rows = [{'content': 'x', 'bytes': encode_png(np.zeros((*size, 3), np.uint8))} for size in sizes]\n"
        "seen = measure_batch(pa.RecordBatch.from_pylist(rows, GIVEN), MeasureOptions(min_confidence=0.3, second_try=True))\n"
        "print(seen.column('error').to_pylist())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[None, None, None]\n", done.stderr[-2000:]
