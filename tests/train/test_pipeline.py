"""Training from end to end, and the content of its run folder."""

import csv
import json
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import InputError
from aslkit.core.sanitize import format_percent
from aslkit.datasets import parquet_store, schema
from aslkit.formats.prediction_metrics import AccuracyMetrics, HeldOutMetrics, LetterMetrics
from aslkit.formats.run_metrics import RunMetrics, SplitUnit, TrainingData
from aslkit.train import pipeline, select_model
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples
from aslkit.train.data.features import get_feature
from aslkit.train.pipeline import TrainResult, train
from aslkit.train.reporting.summary_text import describe_run
from tests.datasets.factories import dataset_with_clips


@pytest.fixture(scope="module")
def trained(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    config = load_settings("train", TrainConfig, flags={"epochs": 6, "feature": "landmarks"})
    return train(dataset, runs=tmp_path_factory.mktemp("runs"), config=config)


def test_run_folder_is_complete(trained: TrainResult) -> None:
    names = {str(path.relative_to(trained.folder)) for path in trained.folder.rglob("*") if path.is_file()}
    assert names == {
        "README.md",
        "calibration.png",
        "config.toml",
        "confusion_matrix.png",
        "curves.png",
        "history.csv",
        "letters.csv",
        "metrics.json",
        "mistakes.csv",
        "model/model.json",
        "model/model.keras",
        "model/motion.json",
        "model/preprocess.json",
        "record_next.json",
        "report.html",
    }
    assert list(trained.folder.parent.iterdir()) == [trained.folder]  # no temporary files


def test_metrics_describe_the_test_on_unseen_signers(trained: TrainResult) -> None:
    metrics = json.loads((trained.folder / "metrics.json").read_text())
    assert metrics == trained.metrics.to_dict()
    assert metrics["feature"] == "landmarks"
    assert metrics["architecture"] == "mlp"
    assert metrics["dataset"] == "small"
    assert metrics["seed"] == 0
    assert metrics["fit_s"] >= metrics["epoch_s"] > 0
    unseen = metrics["unseen"]
    assert unseen["by"] == "signer"
    assert unseen["held_out"] == ["synthetic-dan"]
    assert unseen["n"] == 24
    assert unseen["coverage"] == pytest.approx(5 / 6)
    assert set(unseen["per_letter"]) == {"A", "B", "L", "Y"}
    assert 0 <= metrics["random_split"]["accuracy"] <= 1


def test_config_and_history_can_be_read_back(trained: TrainResult) -> None:
    config = tomllib.loads((trained.folder / "config.toml").read_text())["train"]
    assert TrainConfig(**config).architecture == "mlp"
    with (trained.folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == trained.metrics.epochs
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


def test_report_shows_unseen_signers_before_random_split(trained: TrainResult) -> None:
    class TextParser(HTMLParser):
        text = ""

        def handle_data(self, data: str) -> None:
            self.text += data

    parser = TextParser()
    parser.feed((trained.folder / "report.html").read_text(encoding="utf-8"))
    page = " ".join(parser.text.split())
    first, second = page.index("accuracy on unseen signers"), page.index("accuracy on a random split (optimistic)")
    assert first < second
    assert format_percent(trained.metrics.unseen.accuracy) in page[:second]
    assert trained.metrics.rejection is not None
    at_threshold = f"{format_percent(trained.metrics.rejection.letters.correct)} correct in aslkit live"
    assert at_threshold in page[:second]
    assert "synthetic" in page


def test_report_contains_its_images_once_and_links_its_files(trained: TrainResult) -> None:
    page = (trained.folder / "report.html").read_text(encoding="utf-8")
    images = re.findall(r'src="([^"]+)"', page)
    assert all(image.startswith("data:image/") for image in images)
    assert len(images) == len(set(images)) > 3
    assert all((trained.folder / link).is_file() for link in re.findall(r'href="([^"]+)"', page))


@pytest.mark.usefixtures("uncompiled")
def test_second_run_has_its_own_folder(trained: TrainResult, dataset: Path) -> None:
    config = load_settings("train", TrainConfig, flags={"epochs": 1, "feature": "pixels28"})
    second = train(dataset, runs=trained.folder.parent, config=config, hold_out=["synthetic-ben"])
    assert second.folder.name == "small-pixels28-cnn-1"
    assert second.metrics.unseen.held_out == ["synthetic-ben"]


@pytest.mark.usefixtures("uncompiled")
def test_duplicate_signers_are_reported_in_messages_report_and_card(dataset: Path, tmp_path: Path) -> None:
    whole = parquet_store.read_dataset(dataset)
    ada = whole.filter(pc.equal(whole.column("signer"), "synthetic-ada"))
    for split in schema.SPLITS:
        part = whole.filter(pc.equal(whole.column("split"), split)).drop_columns(["split"])
        if split == "test":
            for name in ("phash", "landmarks"):
                part = part.set_column(part.schema.get_field_index(name), name, ada.column(name))
        parquet_store.write_split(tmp_path / "small", split, [part], facts={"summary": {"split_by": "signer"}})
    messages: list[str] = []
    config = load_settings("train", TrainConfig, flags={"epochs": 1, "feature": "landmarks"})
    done = train(tmp_path / "small", runs=tmp_path / "runs", config=config, on_message=messages.append)
    warning = "100% of the frames of synthetic-ada are near-duplicates of frames of synthetic-dan"
    assert any(warning in each for each in messages)
    assert warning in describe_run(done.metrics).warning
    for name in ("report.html", "README.md"):
        assert warning in (done.folder / name).read_text(encoding="utf-8")


@pytest.mark.usefixtures("uncompiled")
def test_auto_selects_feature_without_test_signers(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(select_model, "CANDIDATES", ("landmarks", "hand28"))
    config = load_settings("train", TrainConfig, flags={"epochs": 2, "feature": "auto", "members": 1})
    done = train(dataset, runs=tmp_path, config=config)
    best, second = done.metrics.candidates
    assert best.mean >= second.mean
    assert (done.metrics.feature, done.metrics.architecture) == (best.feature, best.architecture)
    assert all("synthetic-dan" not in each.accuracies for each in (best, second))
    with pytest.raises(InputError, match="would make the result optimistic"):
        train(dataset, runs=tmp_path, config=config, cv="signer")


@pytest.mark.usefixtures("uncompiled")
def test_dataset_without_images_is_trained_on_landmarks(dataset: Path, tmp_path: Path) -> None:
    whole = parquet_store.read_dataset(dataset)
    for split in schema.SPLITS:
        part = whole.filter(pc.equal(whole.column("split"), split)).drop_columns(["split"])
        path = pc.struct_field(part.column("image"), "path").combine_chunks()
        image = pa.StructArray.from_arrays([pa.nulls(len(part), pa.binary()), path], names=["bytes", "path"])
        part = part.set_column(part.schema.get_field_index("image"), "image", image)
        facts = {"summary": {"split_by": "signer"}, "pixels": False}
        parquet_store.write_split(tmp_path / "small", split, [part], facts=facts)
    messages: list[str] = []
    config = load_settings("train", TrainConfig, flags={"epochs": 1})
    done = train(tmp_path / "small", runs=tmp_path / "runs", config=config, quick=True, on_message=messages.append)
    assert done.metrics.feature == "landmarks"
    assert done.folder.name == "small-landmarks-mlp-1"
    assert "The dataset has landmarks but no images, so the model is trained on landmarks alone." in messages


@pytest.mark.usefixtures("uncompiled")
def test_quick_omits_comparisons_and_says_so(dataset: Path, tmp_path: Path) -> None:
    config = load_settings("train", TrainConfig, flags={"epochs": 1, "feature": "landmarks"})
    done = train(dataset, runs=tmp_path, config=config, quick=True)
    metrics = json.loads((done.folder / "metrics.json").read_text())
    assert metrics["quick"]
    assert metrics["random_split"]["n"] == 0
    assert "--quick" in metrics["command"]
    for name in ("report.html", "README.md"):
        assert "Comparisons were omitted (--quick)" in (done.folder / name).read_text(encoding="utf-8")
    with pytest.raises(InputError, match="--quick or --curve"):
        train(dataset, runs=tmp_path, config=config, cv="signer", curve=True, quick=True)


def test_invalid_names_are_rejected_before_training(dataset: Path, tmp_path: Path) -> None:
    for flags, message in (
        ({"feature": "hog"}, "Known: "),
        ({"architecture": "vit"}, "Known: "),
        ({"feature": "both", "architecture": "cnn"}, "Leave out --architecture"),
    ):
        with pytest.raises(InputError, match=message):
            train(dataset, runs=tmp_path, config=load_settings("train", TrainConfig, flags=flags))
    with pytest.raises(InputError, match="No dataset found"):
        train(tmp_path / "none", runs=tmp_path, config=load_settings("train", TrainConfig))
    assert not list(tmp_path.iterdir())


def _metrics(
    by: SplitUnit, unseen: float | None, random: float, *, synthetic: bool = False, letters: str = "AB"
) -> RunMetrics:
    per_letter = {} if unseen is None else {letter: LetterMetrics(accuracy=unseen, n=9) for letter in letters}
    return RunMetrics(
        unseen=HeldOutMetrics(by=by, held_out=["maria"], accuracy=unseen, per_letter=per_letter),
        random_split=AccuracyMetrics(accuracy=random),
        synthetic=synthetic,
        trained_on=TrainingData(letters=["A", "B"]),
    )


@pytest.mark.parametrize(
    ("metrics", "tested", "gap", "warning"),
    [
        (_metrics("signer", 0.86, 0.98), "^unseen signers: maria$", "by about 12 points", "^$"),
        (_metrics("signer", 0.90, 0.91), "^unseen signers: maria$", "by about 1 point ", "^$"),
        (_metrics("signer", 0.98, 0.984), "^unseen signers: maria$", "less than 1 point", "^$"),
        (_metrics("signer", 0.98, 0.98), "^unseen signers: maria$", "does not overestimate", "^$"),
        (_metrics("signer", 1.0, 0.9, letters="A"), "maria, 1 of 2 letters", "cannot be compared", "^$"),
        (_metrics("signer", None, 0.9), "maria", "is unknown", "^$"),
        (_metrics("session", 0.9, 0.9), "^the same person, another recording session$", "^$", "only one signer"),
        (_metrics("block", 0.9, 0.9), "^the same person, later recording \\(same session\\)$", "^$", "only one signer"),
        (_metrics("block", 1.0, 0.9, letters="A"), "\\(same session\\), 1 of 2 letters", "^$", "only one signer"),
        (_metrics("signer", 0.9, 0.9, synthetic=True), "unseen signers \\(synthetic\\)", "not", "synthetic"),
    ],
)
def test_describe_run_states_the_limits_of_the_test(metrics: RunMetrics, tested: str, gap: str, warning: str) -> None:
    summary = describe_run(metrics)
    assert re.search(tested, summary.tested)
    assert re.search(gap, summary.gap)
    assert re.search(warning, summary.warning)


def test_a_signer_with_clips_only_cannot_be_held_out(tmp_path: Path) -> None:
    dataset = dataset_with_clips(tmp_path / "custom")
    rows = samples.load_samples(dataset, get_feature("landmarks").contract)
    only_clips = samples.subset(rows, rows.signer != "cleo")
    request = SimpleNamespace(hold_out=("cleo",), dataset=dataset)
    with pytest.raises(InputError, match="cleo has only clips of J and Z"):
        pipeline._check_has_frames(only_clips, request)  # type: ignore[arg-type]
    pipeline._check_has_frames(rows, request)  # type: ignore[arg-type]
