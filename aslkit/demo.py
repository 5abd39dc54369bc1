"""Run all stages on synthetic signers: record, curate, train, and measure on an unseen one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from aslkit.core.config import load_settings
from aslkit.core.files import remove
from aslkit.core.installation import require_modules
from aslkit.core.letters import LETTERS
from aslkit.core.progress import Advance, progress_bar, progress_lines
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo
from aslkit.formats.run_metrics import RunMetrics

SIGNERS: Final = ("synthetic-ada", "synthetic-ben", "synthetic-cleo")
UNSEEN: Final = "synthetic-cleo"

FRAMES: Final = 12
"""Of each letter and signer: 864 in all, drawn in half a minute."""

INTERVAL_S: Final = 0.7
"""Time between frames, seconds, so that few of them are near-duplicates."""


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """Result of the demo.

    Attributes:
        workspace: a folder of its own inside the user's, so that nothing of theirs is touched.
        summary: of the dataset, as `aslkit curate --json` prints it.
        run: the run's folder.
        metrics: as in its metrics.json.
    """

    workspace: Path
    summary: dict[str, Any]
    run: Path
    metrics: RunMetrics


def run_demo(root: Path) -> DemoResult:
    """Run every stage in `root`/demo, from scratch.

    Raises:
        AslkitError: Keras or TensorFlow is not installed.
    """
    from aslkit.curate.config import CurateConfig
    from aslkit.curate.filter.checks import CheckConfig
    from aslkit.curate.pipeline import curate
    from aslkit.train.config import TrainConfig
    from aslkit.train.pipeline import train

    require_modules("keras", "tensorflow", extra="train", purpose="The demo")  # not after minutes
    workspace = Workspace(root=root / "demo")
    remove(workspace.root)
    with progress_lines():
        _record(workspace)
        curated = curate(
            workspace,
            name="demo",
            config=load_settings("curate", CurateConfig),
            checks=load_settings("checks", CheckConfig),
            hold_out=[UNSEEN],
        )
        trained = train(curated.folder, runs=workspace.runs, config=load_settings("train", TrainConfig))
    return DemoResult(workspace=workspace.root, summary=curated.summary, run=trained.folder, metrics=trained.metrics)


def _record(workspace: Workspace) -> None:
    from aslkit.capture.config import CaptureConfig, GateConfig
    from aslkit.capture.record import record
    from aslkit.capture.terminal import record_in_terminal

    capture = load_settings("capture", CaptureConfig, flags={"interval_s": INTERVAL_S})
    with progress_bar("Recording three synthetic signers", len(SIGNERS) * len(LETTERS) * FRAMES) as advance:

        @contextmanager
        def within(title: str, frames: int) -> Iterator[Advance]:
            yield advance

        for signer in SIGNERS:
            info = SessionInfo(signer=signer, session="one", camera="synthetic", licence="CC0-1.0")
            record(
                LETTERS,
                source="synthetic",
                workspace=workspace,
                info=info,
                capture=capture,
                gate=load_settings("gate", GateConfig),
                screen=partial(record_in_terminal, on_message=lambda _: None, show=within),
                count=FRAMES,
            )
