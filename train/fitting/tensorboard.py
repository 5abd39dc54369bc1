"""TensorBoard logs of a training: one scalar per metric and epoch."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

_PREFIX: Final = "val_"


def write_scalars(folder: Path) -> Callable[[dict[str, float]], None]:
    """Return a function that writes a row of the history to FOLDER/train and FOLDER/validation."""
    import tensorflow as tf

    writers = {name: tf.summary.create_file_writer(str(folder / name)) for name in ("train", "validation")}

    def write(row: dict[str, float]) -> None:
        for name, value in row.items():
            with writers["validation" if name.startswith(_PREFIX) else "train"].as_default(int(row["epoch"])):
                tf.summary.scalar(f"epoch_{name.removeprefix(_PREFIX)}", value)
        for writer in writers.values():
            writer.flush()

    return write
