"""Training of the network for drawn letters."""

from pathlib import Path

import numpy as np
import pytest

from aslkit.core.errors import AslkitError
from aslkit.inference.load_model import load_motion_network, load_network
from aslkit.inference.network_file import write_network
from aslkit.inference.starter import STARTER_RUN
from aslkit.synthetic.movements.tracks import Track
from aslkit.train import motion_network
from aslkit.train.data.motion_samples import synthetic_motion_samples
from aslkit.train.motion_network import fit_motion_network, load_starter_motion, train_motion
from aslkit.vision.motion.contract import MOTION_CLASSES, MotionContract
from aslkit.vision.motion.features import MOTION_VALUES
from aslkit.vision.preprocess import PreprocessConfig
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
    with pytest.raises(AslkitError, match=r"motion\.json is damaged"):
        load_motion_network(run, PreprocessConfig(kind="landmarks", motion=MotionContract()))


def test_the_starter_recognises_drawn_letters() -> None:
    assert load_network(STARTER_RUN)[1].motion == MotionContract()
