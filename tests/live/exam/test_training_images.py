from pathlib import Path

from aslkit.datasets import parquet_store
from aslkit.formats.prediction_metrics import HeldOutMetrics
from aslkit.formats.run_folder import METRICS_FILE
from aslkit.formats.run_metrics import RunMetrics
from aslkit.live.exam.training_images import read_training_hashes
from tests.datasets import factories


def write_run(workspace: Path, dataset: str) -> Path:
    run = workspace / "runs" / "one"
    run.mkdir(parents=True)
    (run / METRICS_FILE).write_text(RunMetrics(dataset=dataset, unseen=HeldOutMetrics()).to_json())
    return run


def test_images_of_train_and_validation_are_known(tmp_path: Path) -> None:
    folder = factories.dataset(tmp_path / "datasets" / "tiny", train=6, validation=2, test=3)
    rows = parquet_store.read_dataset(folder, ["sha256"]).to_pylist()
    expected = {row["sha256"] for row in rows if row["split"] != "test"}
    assert read_training_hashes(write_run(tmp_path, "tiny")) == expected
    assert len(expected) == 8


def test_run_without_its_dataset_knows_no_images(tmp_path: Path) -> None:
    assert read_training_hashes(write_run(tmp_path, "gone")) == frozenset()
    assert read_training_hashes(tmp_path / "no-run") == frozenset()


def test_name_of_a_dataset_does_not_lead_out_of_the_workspace(tmp_path: Path) -> None:
    factories.dataset(tmp_path / "outside", train=6, validation=2, test=3)
    run = write_run(tmp_path / "workspace", "../../outside")
    assert read_training_hashes(run) == frozenset()
