"""The folder of a run that is being trained: made first, kept when interrupted, gone if nothing was done."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from aslkit.core.errors import InputError
from aslkit.core.progress import OnMessage
from aslkit.formats.run_folder import METRICS_FILE
from aslkit.train.fitting.fit import TrainingFolders
from aslkit.train.reporting.write_run import new_folder

CHECKPOINTS: Final = "checkpoints"
TENSORBOARD: Final = "tensorboard"


@contextmanager
def open_run_folder(
    runs: Path, name: str, *, resume: Path | None, tensorboard: bool, on_message: OnMessage
) -> Iterator[tuple[Path, TrainingFolders]]:
    """Yield a run's folder, and where in it trainings keep how far they are.

    What ends the block before its end leaves the folder with what was kept, and says how to go on; or no folder, where
    nothing was kept.

    Args:
        runs: where a new folder goes.
        name: of the new run, to which a number is added.
        resume: the folder of an interrupted run, in place of a new one.
        tensorboard: whether to write what TensorBoard shows.
        on_message: told how to go on.

    Raises:
        InputError: the run to go on with is finished, or the folder is no run's: it would be replaced.
    """
    folder = _begun(runs, name) if resume is None else resume
    if resume is not None:
        _check_interrupted(resume)
    watch = TrainingFolders(kept=folder / CHECKPOINTS, logs=folder / TENSORBOARD if tensorboard else None)
    if watch.logs is not None:
        on_message(f"To follow it: tensorboard --logdir {watch.logs}")
    try:
        yield folder, watch
    except BaseException:
        if (folder / CHECKPOINTS).is_dir():
            on_message(f"What is done is kept. To go on, give the same command with --resume {folder.name}")
        else:
            with suppress(OSError):  # somebody put something there
                folder.rmdir()
        raise


def _check_interrupted(folder: Path) -> None:
    """Raise InputError unless a folder holds what an interrupted training leaves, and nothing else."""
    if (folder / METRICS_FILE).exists():
        raise InputError(f"{folder} is finished; there is nothing to go on with. Without --resume a new run begins.")
    others = sorted(path.name for path in folder.iterdir() if path.name not in (CHECKPOINTS, TENSORBOARD))
    if others or not (folder / CHECKPOINTS).is_dir():
        holds = f"it holds {', '.join(others[:3])}" if others else "it holds no checkpoints"
        raise InputError(
            f"{folder} is no interrupted training: {holds}. `aslkit runs` lists those that can be gone on with."
        )


def _begun(runs: Path, name: str) -> Path:
    """Make a folder that no other run has, not even one that begins at this moment."""
    runs.mkdir(parents=True, exist_ok=True)
    while True:
        folder = new_folder(runs, name)
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
