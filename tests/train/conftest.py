"""Datasets that tests of training share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.train import published, small_dataset, steps


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dataset folder; see `small_dataset.write`."""
    return small_dataset.write(tmp_path_factory.mktemp("datasets") / "small")


@pytest.fixture(scope="session")
def sign_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dataset folder like Sign Language MNIST: 24 letters, 4 photographs each, 4 variants of each photograph."""
    folder = tmp_path_factory.mktemp("published")
    return published.write(folder / "sign-mnist", folder / "csv")


@pytest.fixture
def uncompiled() -> Iterator[None]:
    """Train without compiling models; see `steps.uncompiled`."""
    with steps.uncompiled():
        yield
