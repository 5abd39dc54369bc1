"""Time to convert the CSV files of Sign Language MNIST to Parquet, compared with reading them in pandas.

Usage: ./run bench sign_mnist sign-language-mnist.zip
"""

import io
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd  # type: ignore[import-untyped,unused-ignore]

from aslkit.datasets.sign_mnist.fetch import fetch_sign_mnist

ROUNDS = 5


def seconds(work: Callable[[], object]) -> float:
    """Return the duration of a call in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Time both alternately, so that other load affects both equally."""
    with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(sys.argv[1]) as archive:
        archive.extractall(place, [name for name in archive.namelist() if name.endswith(".csv") and "/" not in name])
        files = sorted(Path(place).glob("*.csv"))
        ours, theirs = [], []
        for number in range(ROUNDS):
            theirs.append(seconds(lambda: [pd.read_csv(io.BytesIO(file.read_bytes())) for file in files]))
            to = Path(place) / f"dataset-{number}"
            ours.append(seconds(lambda to=to: fetch_sign_mnist(to, source=Path(place))))  # type: ignore[misc]
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    print(f"pandas.read_csv: {statistics.median(theirs):.2f} s; conversion to Parquet: {statistics.median(ours):.2f} s")
    print(f"conversion / pandas.read_csv = {ratio:.2f} (median of {ROUNDS})")


if __name__ == "__main__":
    main()
