"""For fuzz.py: create a small workspace, and damage its files.

Bytes are flipped, removed and repeated; values in JSON and TOML are replaced by unexpected ones.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import tomli_w

NASTY: tuple[Any, ...] = (
    None, True, -1, 0, 2**70, -(2**63), 1e308, float("nan"), float("inf"), 0.5, "", " ", ".", "..", "../../etc/passwd",
    "a/b", "\x00", "\x1b[31mred\x1b]0;title\x07", "<script>alert(1)</script>", "{{ 7*7 }}", "'; DROP", "\ud800",
    "A" * 70_000, "ſ", "\u202e", [], {}, [[[[[[]]]]]], [1, "a", None], {"a": {"b": {}}}, "1e999", "none", "A",
    "synthetic-", "CON", "-rf",
)  # fmt: skip


def workspace(root: Path) -> None:
    """Create a workspace with captures, a dataset, a run and other files."""
    import cv2
    import numpy as np

    for signer in ("synthetic-ada", "synthetic-ben"):
        for letter in "AB":
            os.environ["COLUMNS"] = "100"
            subprocess.run(
                [sys.executable, "-m", "aslkit", "capture", "--letter", letter, "--source", "synthetic", "--count", "8",
                 "--signer", signer, "--licence", "CC0-1.0", "--workspace", str(root)],
                check=True, capture_output=True,
            )  # fmt: skip
    for command in (["curate"], ["train", "--epochs", "2"]):
        subprocess.run([sys.executable, "-m", "aslkit", *command, "--workspace", str(root)], check=True,
                       capture_output=True)  # fmt: skip
    shutil.copytree(root / "datasets/custom", root / "datasets/mine")
    files = root / "files"
    files.mkdir()
    configs = Path(__file__).parents[2] / "configs"
    shutil.copy(configs / "default.toml", files / "own.toml")
    shutil.copy(configs / "benchmark.toml", files / "recipe.toml")
    picture = cv2.imread(str(next((root / "captures").glob("*/*/*/*.jpg"))))
    cv2.imwrite(str(files / "a.png"), picture)
    header = "label," + ",".join(f"pixel{i}" for i in range(1, 785))
    rows = [",".join(map(str, [i + (i >= 9), *np.random.default_rng(i).integers(0, 256, 784)])) for i in range(12)]
    (files / "sign_mnist_train.csv").write_text("\n".join([header, *rows]) + "\n")
    with zipfile.ZipFile(files / "sign_mnist.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(files / "sign_mnist_train.csv", "sign_mnist_train.csv")
        packed.write(files / "sign_mnist_train.csv", "sign_mnist_test.csv")
    film = cv2.VideoWriter(str(files / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 240))
    for index in range(10):
        film.write(cv2.resize(np.roll(picture, index, axis=1), (320, 240)))
    film.release()


def damage_file(path: Path, rng: random.Random) -> bytes:
    """Return a randomly damaged version of a file."""
    data = path.read_bytes()
    structured = {".json": _json, ".jsonl": _jsonl, ".toml": _toml}.get(path.suffix)
    if structured is not None and rng.random() < 0.7:
        return structured(data, rng)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        data = rng.choice((_flip, _flip, _remove, _repeat, _insert, _number))(data, rng)
    return data


def _flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data or b"\0")
    # Headers and footers are at the ends of a file.
    offset = rng.choice(
        (rng.randrange(len(changed)), rng.randrange(min(64, len(changed))), -1 - rng.randrange(min(4096, len(changed))))
    )
    changed[offset] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _remove(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] if rng.random() < 0.5 else data[:start] + data[start + rng.randrange(1, 200) :]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[max(0, start - rng.randrange(1, 400)) :]


def _insert(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + rng.randbytes(rng.randrange(1, 40)) + data[start:]


def _number(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    value = rng.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\x80\0\0\0"))
    return data[:start] + value + data[start + 4 :]


def _json(data: bytes, rng: random.Random) -> bytes:
    return json.dumps(_replace_value(json.loads(data), rng)).encode()


def _jsonl(data: bytes, rng: random.Random) -> bytes:
    lines = data.splitlines()
    index = rng.randrange(len(lines))
    lines[index] = _json(lines[index], rng)
    return b"\n".join(lines) + b"\n"


def _toml(data: bytes, rng: random.Random) -> bytes:
    try:
        return tomli_w.dumps(_replace_value(tomllib.loads(data.decode()), rng)).encode("utf-8", "surrogatepass")
    except (TypeError, AttributeError):  # a value that TOML cannot represent
        return _flip(data, rng)


def _replace_value(values: Any, rng: random.Random) -> Any:
    """Return a copy with one nested value replaced, removed, or duplicated under another name."""
    inner = list(values) if isinstance(values, dict) else list(range(len(values))) if isinstance(values, list) else []
    if not inner or rng.random() < 0.08:
        return rng.choice(NASTY)
    key = rng.choice(inner)
    if rng.random() < 0.1:
        rest = values.copy()
        del rest[key]
        return rest
    if isinstance(values, dict) and rng.random() < 0.05:
        return {**values, str(rng.choice(NASTY))[:200]: values[key]}
    changed = values.copy()
    changed[key] = _replace_value(values[key], rng)
    return changed
