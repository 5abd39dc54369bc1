"""MediaPipe for browsers: the archive has the published files of the version that fits the mediapipe package."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import pytest

from aslkit.core.errors import AslkitError, InputError
from aslkit.live.export import tasks_vision

# SHA-256 of the files in @mediapipe/tasks-vision 0.10.21.
PUBLISHED = {
    "vision_bundle.js": "40f4123dfcd75cfa58add046919cc6f52fde66f009ff582997c09ba54c6ba27c",
    "vision_wasm_internal.js": "4a97e2520ba506c680ecd6ba6acfb146888afa0e2746d57f205352bc6ebb82eb",
    "vision_wasm_internal.wasm": "f00ec4731faa23b3e714d00e88d4d10e2df5c0a427d3a2b4ae6e3526fdd14ef7",
}


def test_archive_contains_the_published_files(tmp_path: Path) -> None:
    tasks_vision.unpack(tmp_path / "mediapipe")
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "mediapipe").iterdir()
        if path.name != "LICENSE"
    }
    assert found == PUBLISHED
    assert PUBLISHED.keys() == tasks_vision.FILES.keys()
    assert "Apache License" in (tmp_path / "mediapipe" / "LICENSE").read_text()


def test_version_is_that_of_mediapipe() -> None:
    assert version("mediapipe") == tasks_vision.VERSION


def test_archive_is_small() -> None:
    assert tasks_vision.ARCHIVE.stat().st_size < 2_500_000


def test_other_npm_packages_are_not_packed(tmp_path: Path) -> None:
    (tmp_path / "other.tgz").write_bytes(b"other")
    with pytest.raises(InputError, match=r"is not @mediapipe/tasks-vision 0\.10\.21"):
        tasks_vision.pack(tmp_path / "other.tgz", tmp_path / "archive")
    assert not (tmp_path / "archive").exists()


@pytest.mark.parametrize(
    "content", [None, b"", tasks_vision.ARCHIVE.read_bytes()[:1_000_000]], ids=["missing", "empty", "cut off"]
)
def test_damaged_archive_is_explained(content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_vision, "ARCHIVE", tmp_path / "archive")
    if content is not None:
        (tmp_path / "archive").write_bytes(content)
    with pytest.raises(AslkitError, match="Install aslkit again"):
        tasks_vision.unpack(tmp_path / "mediapipe")
