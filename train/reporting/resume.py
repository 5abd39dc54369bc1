"""The folder of a run in progress: created first, kept with its checkpoints after an interruption, else removed."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from aslkit.core.errors import InputError
from aslkit.core.progress import OnMessage, announce_run
from aslkit.formats.run_folder import METRICS_FILE
from aslkit.train.engine.shared_folder import SharedFolder
from aslkit.train.engine.train_network import TrainingResources
from aslkit.train.reporting.write_run import new_folder

CHECKPOINTS: Final = "checkpoints"
TENSORBOARD: Final = "tensorboard"


@contextmanager
def open_run_folder(
    runs: Path,
    name: str,
    *,
    resume: Path | None,
    tensorboard: bool,
    ranks: int = 1,
    checkpoints: str = "",
    on_message: OnMessage,
) -> Iterator[tuple[Path, TrainingResources]]:
    """Yield a run folder, and where its trainings write checkpoints and logs.

    If the block raises, a folder with checkpoints is kept, and a message says how to resume. A folder without
    checkpoints is removed.

    Args:
        runs: folder in which a new run folder is created.
        name: name of the new run; a number is added.
        resume: folder of an interrupted run to continue instead.
        tensorboard: whether to write TensorBoard logs.
        ranks: number of processes.
        checkpoints: folder or URL in which all ranks can read and write; "" for a subfolder of the run folder.
        on_message: called with how to start TensorBoard and how to resume.

    Raises:
        InputError: the run to resume is finished, or the folder holds anything but an interrupted run, which the new
            run would replace.
    """
    folder = _create_run_folder(runs, name) if resume is None else resume
    announce_run(folder.name)
    if resume is not None:
        _check_interrupted(resume)
    shared = f"{checkpoints.rstrip('/')}/{folder.name}" if checkpoints else str(folder / CHECKPOINTS)
    if checkpoints:
        (folder / CHECKPOINTS).mkdir(exist_ok=True)  # marks the run as one that can be resumed
    logs = folder / TENSORBOARD if tensorboard else None
    resources = TrainingResources(checkpoints=shared, logs=logs, ranks=ranks)
    if resources.logs is not None:
        on_message(f"To follow the training: tensorboard --logdir {resources.logs}")
    try:
        yield folder, resources
        if checkpoints:
            SharedFolder(url=shared).remove()
    # Also Ctrl-C, which is no Exception.
    except BaseException:
        if (folder / CHECKPOINTS).is_dir():
            on_message(f"Checkpoints are kept. To resume, run the same command with --resume {folder.name}")
        else:
            with suppress(OSError):  # not empty: another program wrote into it
                folder.rmdir()
        raise


def _check_interrupted(folder: Path) -> None:
    """Raise InputError unless a folder holds an interrupted training, and nothing else."""
    if (folder / METRICS_FILE).exists():
        raise InputError(f"{folder} is finished, so it cannot be resumed. Omit --resume to start a new run.")
    others = sorted(path.name for path in folder.iterdir() if path.name not in (CHECKPOINTS, TENSORBOARD))
    if others or not (folder / CHECKPOINTS).is_dir():
        reason = f"it contains {', '.join(others[:3])}" if others else "it contains no checkpoints"
        raise InputError(
            f"{folder} is not an interrupted training: {reason}. `aslkit runs` lists the runs that can be resumed."
        )


def _create_run_folder(runs: Path, name: str) -> Path:
    """Create a new run folder. If another process takes the same name at the same time, use the next number."""
    runs.mkdir(parents=True, exist_ok=True)
    while True:
        folder = new_folder(runs, name)
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
