"""Training of the network for drawn letters."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aslkit.core.errors import AslkitError
from aslkit.datasets import schema
from aslkit.inference.load_model import load_motion_network, load_network
from aslkit.inference.network_file import write_network
from aslkit.inference.starter import STARTER_RUN
from aslkit.synthetic.movements.tracks import Track
from aslkit.train import motion_network
from aslkit.train.data.motion_samples import still_letter_tracks, synthetic_motion_samples
from aslkit.train.motion_network import find_test_signers, fit_motion_network, load_starter_motion, train_motion
from aslkit.vision.motion.contract import MOTION_CLASSES, MotionContract
from aslkit.vision.motion.features import MOTION_VALUES
from aslkit.vision.preprocess import PreprocessConfig
from tests.datasets.factories import dataset_with_clips, row, write
from tests.live.factories import create_run
from tests.train.data.test_motion_clips import drawn_track, to_clip


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train on few synthetic movements for few epochs."""
    monkeypatch.setattr(motion_network, "SYNTHETIC_SIGNERS", motion_network.SYNTHETIC_SIGNERS[:6])
    monkeypatch.setattr(motion_network, "TRACKS", 10)
    monkeypatch.setattr(motion_network, "EPOCHS", 6)


def use_clips(monkeypatch: pytest.MonkeyPatch, tracks: list[tuple[Track, str, str, str]]) -> None:
    """Let the dataset have clips: track, letter, signer and split of each."""
    clips = [
        to_clip(track, letter, signer=signer, split=split, number=number)
        for number, (track, letter, signer, split) in enumerate(tracks)
    ]
    monkeypatch.setattr(motion_network, "load_clips", lambda dataset: clips)
    test_signers = {clip.signer for clip in clips if clip.split == "test"}
    monkeypatch.setattr(motion_network, "find_test_signers", lambda dataset, hold_out: set(hold_out) or test_signers)


def train(hold_out: tuple[str, ...] = (), *, test: bool = True) -> motion_network.TrainedMotion:
    return train_motion(Path("any"), captures=None, hold_out=hold_out, test=test, seed=0, on_message=print)


@pytest.mark.usefixtures("quick")
def test_a_network_learns_to_tell_movements_apart() -> None:
    signers = [f"synthetic-learn-{number}" for number in range(10)]
    samples = synthetic_motion_samples(signers, tracks=20, rng=np.random.default_rng(0))
    network = fit_motion_network(samples, seed=0)
    unseen = synthetic_motion_samples(["synthetic-other"], tracks=40, rng=np.random.default_rng(1))
    probabilities = network(unseen.inputs)
    assert probabilities.shape == (len(unseen), len(MOTION_CLASSES))
    assert (probabilities.argmax(axis=1) == unseen.label).mean() > 0.8


def test_without_clips_the_run_has_the_starter_network(monkeypatch: pytest.MonkeyPatch) -> None:
    use_clips(monkeypatch, [])
    trained = train()
    inputs = np.random.default_rng(0).normal(0, 1, (4, MOTION_VALUES)).astype(np.float32)
    assert np.array_equal(trained.network(inputs), load_starter_motion()(inputs))
    assert trained.metrics.clips == 0


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("hold_out", "tested"), [((), {"Z": 1}), (("maria",), {"J": 1})])
def test_clips_of_held_out_signers_are_measured_only(
    hold_out: tuple[str, ...], tested: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_clips(monkeypatch, [(drawn_track("J", 0), "J", "maria", "train"), (drawn_track("Z", 1), "Z", "ben", "test")])
    trained = train(hold_out)
    assert trained.metrics.tested == tested
    assert trained.metrics.clips == 1
    assert trained.metrics.signers == (["ben"] if hold_out else ["maria"])
    assert set(trained.metrics.right) == set(tested)


@pytest.mark.usefixtures("quick")
def test_a_clip_that_overlaps_with_a_tested_one_is_not_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    track = drawn_track("J", 0)
    tested = replace(to_clip(track, "J", signer="ben", split="train"), group=7)
    same_video = replace(to_clip(track, "J", signer="maria", split="train"), group=7)
    other = replace(to_clip(drawn_track("Z", 1), "Z", signer="carl", split="train"), group=8)
    monkeypatch.setattr(motion_network, "load_clips", lambda dataset: [tested, same_video, other])
    metrics = train(("ben",)).metrics
    assert metrics.signers == ["carl"]
    assert metrics.tested == {"J": 1}
    assert metrics.unseen


def test_a_held_out_clip_without_hands_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = to_clip(drawn_track("J", 0), "J", signer="ben", split="test")
    clip.landmarks[:] = np.nan
    monkeypatch.setattr(motion_network, "load_clips", lambda dataset: [clip])
    monkeypatch.setattr(motion_network, "find_test_signers", lambda dataset, hold_out: {"ben"})
    metrics = train().metrics
    assert (metrics.tested, metrics.right) == ({"J": 1}, {"J": 0})


def test_movements_of_held_out_signers_are_tested_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_clips(monkeypatch, [])
    monkeypatch.setattr(motion_network, "find_test_signers", lambda dataset, hold_out: {"ben"})
    still = still_letter_tracks(1, np.random.default_rng(0))
    asked: list[set[str]] = []

    def negatives(captures: Path, signers: set[str], on_message: object) -> list[Track]:
        asked.append(signers)
        return still if signers == {"ben"} else []

    monkeypatch.setattr(motion_network, "recorded_negative_tracks", negatives)
    for name in ("ben", "maria"):
        (tmp_path / name).mkdir()
    trained = train_motion(Path("any"), captures=tmp_path, hold_out=(), test=True, seed=0, on_message=print)
    assert asked == [{"maria"}, {"ben"}]
    assert trained.metrics.negatives == 0
    assert trained.metrics.tested == {"none": 1}


def test_the_starter_reads_held_out_clips_of_unseen_synthetic_signers(monkeypatch: pytest.MonkeyPatch) -> None:
    use_clips(monkeypatch, [(drawn_track("JZ"[seed % 2], seed), "JZ"[seed % 2], "ben", "test") for seed in range(20)])
    metrics = train().metrics
    assert metrics.tested == {"J": 10, "Z": 10}
    assert sum(metrics.right.values()) >= 18


@pytest.mark.usefixtures("quick")
def test_cross_validation_trains_on_all_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    use_clips(monkeypatch, [(drawn_track("J", 0), "J", "maria", "train"), (drawn_track("Z", 1), "Z", "ben", "test")])
    assert train(test=False).metrics.clips == 2


def test_a_run_without_a_motion_network_has_none(tmp_path: Path) -> None:
    run = create_run("landmarks", "mlp", tmp_path / "run")
    assert load_motion_network(run, load_network(run)[1]) is None


@pytest.mark.parametrize(
    ("motion", "message"),
    [
        (MotionContract(version=2), "version 2"),
        (MotionContract(classes=("J", "Z", "other", "neither")), "3 outputs"),
    ],
)
def test_a_motion_network_that_does_not_match_is_refused(tmp_path: Path, motion: MotionContract, message: str) -> None:
    run = create_run("landmarks", "mlp", tmp_path / "run")
    contract = PreprocessConfig(kind="landmarks", motion=motion)
    write_network(run / "model" / "motion.json", load_starter_motion())
    with pytest.raises(AslkitError, match=message):
        load_motion_network(run, contract)


def test_a_missing_motion_network_is_reported(tmp_path: Path) -> None:
    run = create_run("landmarks", "mlp", tmp_path / "run")
    with pytest.raises(AslkitError, match=r"motion\.json is missing"):
        load_motion_network(run, PreprocessConfig(kind="landmarks", motion=MotionContract()))


def test_the_starter_recognises_drawn_letters() -> None:
    assert load_network(STARTER_RUN)[1].motion == MotionContract()


def test_test_signers_are_those_who_are_not_trained_on(tmp_path: Path) -> None:
    by_signer = dataset_with_clips(tmp_path / "by-signer")
    assert find_test_signers(by_signer, ()) == {"cleo"}
    assert find_test_signers(by_signer, ("ada",)) == {"ada"}
    rows = {split: [row(number, "ada")] for number, split in enumerate(schema.SPLITS)}
    assert find_test_signers(write(tmp_path / "one-signer", rows), ()) == set()
