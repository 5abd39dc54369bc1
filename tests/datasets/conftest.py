"""Fixtures for the tests of datasets."""

from pathlib import Path

import pytest

from aslkit.datasets.sharing import retry
from tests.datasets import factories


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BACKOFF_S", 0.0)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset whose train and test splits have the same size. Tests must not modify it."""
    folder = factories.dataset(tmp_path_factory.mktemp("here") / "mine", train=70, test=70)
    (folder / "report.html").write_text("<script>")
    return folder
