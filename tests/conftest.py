"""A workspace of three synthetic signers with ordinary names, recorded and curated once; and the real data."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import settings as chance

from aslkit.core.config import load_settings
from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.checks import CheckConfig
from aslkit.curate.measure import engine
from aslkit.curate.pipeline import curate
from aslkit.formats.captures import SessionInfo
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.images import Frame, encode_jpeg

chance.register_profile("aslkit", deadline=None)  # a busy machine is no failure
chance.load_profile("aslkit")

os.environ["SPARK_CONF_DIR"] = str(Path(__file__).parent / "spark_conf")
os.environ["ASLKIT_COMMAND"] = "aslkit"  # in messages; otherwise, it depends on how pytest was started

PEOPLE = ("ada", "ben", "cleo")
LETTERS = ("A", "B", "L")
FRAMES = 6
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


def _render_frames(signer: str, letter: str, count: int) -> list[Frame]:
    """Return small frames of a synthetic signer, one second apart, so that they are not near-duplicates."""
    who = Signer.draw(f"synthetic-{signer}")
    stream = render_frames(
        letter, signer=who, session=SyntheticSession.draw(who, "one"), width=240, height=180, fps=1.0
    )
    return [next(stream).image for _ in range(count)]


@pytest.fixture(scope="session")
def settings() -> CurateConfig:
    """Curate with the default settings."""
    return load_settings("curate", CurateConfig)


@pytest.fixture(scope="session")
def picture() -> Frame:
    """Return a frame with a hand, BGR, uint8 (180, 240, 3)."""
    return _render_frames("ada", "L", 1)[0]


@pytest.fixture(scope="session")
def curated(tmp_path_factory: pytest.TempPathFactory, settings: CurateConfig) -> Workspace:
    """Three signers × three letters × six frames, curated as `custom` with two processes. Tests must not modify it."""
    workspace = Workspace(root=tmp_path_factory.mktemp("workspace"))
    for signer in PEOPLE:
        SessionInfo(signer=signer, session="one", camera="camera 0", licence="CC0-1.0").save(workspace.captures)
        for letter in LETTERS:
            folder = workspace.captures / signer / "one" / letter
            folder.mkdir()
            for index, frame in enumerate(_render_frames(signer, letter, FRAMES)):
                name = f"20260102T030405{index:03d}Z.jpg" if signer == "ada" else f"{index + 8}.jpg"
                (folder / name).write_bytes(encode_jpeg(frame))
    curate(
        workspace,
        name="custom",
        config=settings,
        checks=load_settings("checks", CheckConfig),
        engine=engine.Local(processes=2),
    )
    return workspace


@pytest.fixture
def workspace(curated: Workspace, tmp_path: Path) -> Workspace:
    """A copy of `curated` that a test may modify."""
    shutil.copytree(curated.root, tmp_path / "workspace")
    return Workspace(root=tmp_path / "workspace")


@pytest.fixture
def measured_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make curation measure images in this process, and return the content hashes of the measured files."""
    contents: list[str] = []

    def map_here(
        work: Callable[[pa.RecordBatch], pa.RecordBatch],
        batches: Iterable[pa.RecordBatch],
        *,
        processes: int | None = None,
    ) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if "content" in batch.schema.names:  # otherwise the batch is augmented
                contents.extend(batch.column("content").to_pylist())
            yield work(batch)

    monkeypatch.setattr(engine, "map_local", map_here)
    return contents


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real photos: ASLKIT_TEST_DATA, or ../shared/data next to the repository."""
    folder = Path(os.environ.get("ASLKIT_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (folder / "captures").is_dir():
        _missing(f"no real data in {folder}; ASLKIT_TEST_DATA names another place")
    return folder


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of Chromium: ASLKIT_CHROMIUM, or from the PATH."""
    named = os.environ.get("ASLKIT_CHROMIUM")
    found = named or next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    return found or _missing(f"no Chromium: neither ASLKIT_CHROMIUM nor {', '.join(CHROMIUMS)} on the PATH")


@pytest.fixture(scope="session")
def bash_path() -> str:
    """Path of bash, for the test of shell completion."""
    return shutil.which("bash") or _missing("no bash on the PATH")


def _missing(what: str) -> NoReturn:
    """Skip a test because something is missing. In CI, fail instead, because a skip would hide it."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
