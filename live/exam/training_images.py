"""Find the images of an exam on which the model was trained."""

from pathlib import Path

from aslkit.datasets import parquet_store
from aslkit.formats.run_metrics import RunMetrics, read_metrics


def read_training_hashes(run: Path) -> frozenset[str]:
    """Return the pixel hashes of the images that training used, for validation as well.

    Args:
        run: run folder, in the workspace of its dataset.

    Returns:
        Values of `images.pixel_hash`; empty if the dataset is not in the workspace.
    """
    metrics = read_metrics(run)
    if not isinstance(metrics, RunMetrics) or not metrics.dataset:
        return frozenset()
    # Only the last part: the name can come from somebody else's run, and must not lead out of the workspace.
    dataset = run.absolute().parent.parent / "datasets" / Path(metrics.dataset).name
    if not (dataset / "data").is_dir():
        return frozenset()
    rows = parquet_store.read_dataset(dataset, ["sha256"])
    pairs = zip(rows.column("sha256").to_pylist(), rows.column("split").to_pylist(), strict=True)
    return frozenset(sha256 for sha256, split in pairs if split != "test" and sha256 is not None)
