"""What sending and fetching are tried with."""

from pathlib import Path

import pytest

from aslkit.core import retry
from tests.datasets import factories


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BACKOFF_S", 0.0)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train and test are of one size. Not to be changed."""
    folder = factories.dataset(tmp_path_factory.mktemp("here") / "mine", train=70, test=70)
    (folder / "report.html").write_text("<script>")
    return folder
