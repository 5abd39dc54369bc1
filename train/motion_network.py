"""Train the network that recognises drawn letters, J and Z, from the landmarks of the last moments."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from aslkit.core.native_libraries import import_keras
from aslkit.core.progress import OnMessage, progress_bar
from aslkit.datasets.clips import load_clips
from aslkit.formats.run_metrics import MotionMetrics
from aslkit.inference.convert_keras import convert_network
from aslkit.inference.load_model import load_motion_network, load_network
from aslkit.inference.network import Network
from aslkit.inference.starter import STARTER_RUN
from aslkit.synthetic.movements.tracks import Track
from aslkit.train.data.motion_clips import dataset_track, recorded_negative_tracks, vary_tracks
from aslkit.train.data.motion_samples import MotionSamples, cut_windows, synthetic_motion_samples
from aslkit.vision.motion.contract import MOTION_CLASSES, MotionContract
from aslkit.vision.motion.features import MOTION_VALUES, motion_features
from aslkit.vision.motion.track import sample_track

SYNTHETIC_SIGNERS: Final = tuple(f"synthetic-motion-{number:02d}" for number in range(40))
TRACKS: Final = 60
"""Performances of each synthetic signer for a run; the starter model uses more."""

STILL_SHARES: Final = (0.5, 1.0)
"""Performances of static letters, relative to the others, that each of two networks sees."""

EPOCHS: Final = 30
BATCH_SIZE: Final = 256

CLIP_COPIES: Final = 40
MAX_COPIES: Final = 4000
"""Varied copies of each recorded clip, and at most of all: about as many as there are synthetic movements."""


@dataclass(frozen=True, kw_only=True)
class TrainedMotion:
    """A motion network, its contract, and how it was trained and measured."""

    network: Network
    contract: MotionContract
    metrics: MotionMetrics


def fit_motion_network(samples: MotionSamples, *, seed: int, title: str = "Training on movements") -> Network:
    """Train a network on windows of movements.

    Args:
        samples: the windows.
        seed: of the initial weights and the order of the windows.
        title: title of the progress bar.

    Raises:
        AslkitError: TensorFlow is not installed.
    """
    keras = import_keras(exact=True)
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    hidden = [layer for units in (128, 64) for layer in (layers.Dense(units, activation="relu"), layers.Dropout(0.5))]
    normalise = layers.Normalization()
    normalise.adapt(samples.inputs)
    model = keras.Sequential(
        [keras.Input((MOTION_VALUES,)), normalise, *hidden, layers.Dense(len(MOTION_CLASSES), activation="softmax")]
    )
    steps = EPOCHS * (1 + len(samples) // BATCH_SIZE)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.002, steps)), "sparse_categorical_crossentropy"
    )
    with progress_bar(title, EPOCHS) as advance:
        callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: advance(1))
        model.fit(
            samples.inputs, samples.label, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0, callbacks=[callback]
        )  # fmt: skip
    return convert_network(model)


def train_motion(
    dataset: Path,
    *,
    captures: Path | None,
    hold_out: Sequence[str],
    test: bool,
    seed: int,
    on_message: OnMessage,
) -> TrainedMotion:
    """Return a motion network for a run: trained on recorded clips if there are any, otherwise that of the starter.

    Args:
        dataset: folder of the dataset.
        captures: captures folder of a workspace, with movements recorded as no letter, if there are any.
        hold_out: signers to test on, instead of the dataset's own test split.
        test: whether clips of the test split are held out; otherwise all are trained on.
        seed: of the random number generators.
        on_message: called with clips that cannot be used.

    Raises:
        AslkitError: the clips of the dataset are damaged.
    """
    clips = [(clip, dataset_track(clip)) for clip in load_clips(dataset)]
    tested = [test and (clip.signer in hold_out if hold_out else clip.split == "test") for clip, _ in clips]
    train_clips = [(clip, track) for (clip, track), held in zip(clips, tested, strict=True) if track and not held]
    test_tracks = [track for (_, track), held in zip(clips, tested, strict=True) if track and held]
    # Movements that are no letter: of all signers but those tested on.
    held_signers = {clip.signer for (clip, _), held in zip(clips, tested, strict=True) if held} | set(hold_out)
    signers = {path.name for path in captures.iterdir()} - held_signers if captures and captures.is_dir() else set()
    negatives = recorded_negative_tracks(captures, signers, on_message) if captures else []
    tracks = [*(track for _, track in train_clips), *negatives]
    network = _fit(tracks, seed) if tracks else load_starter_motion()
    names = sorted({clip.signer for clip, _ in train_clips})
    metrics = MotionMetrics(clips=len(train_clips), negatives=len(negatives), signers=names)
    return TrainedMotion(
        network=network, contract=MotionContract(), metrics=_measure(network, MotionContract(), test_tracks, metrics)
    )  # fmt: skip


def load_starter_motion() -> Network:
    """Return the motion network of the starter model, which was trained on synthetic signers."""
    network = load_motion_network(STARTER_RUN, load_network(STARTER_RUN)[1])
    assert network is not None
    return network


def _fit(tracks: Sequence[Track], seed: int) -> Network:
    """Train on recorded movements and on those of synthetic signers."""
    rng = np.random.default_rng(seed)
    copies = min(CLIP_COPIES, max(1, MAX_COPIES // len(tracks)))
    recorded = cut_windows([*tracks, *vary_tracks(tracks, copies, rng)], rng)
    return _fit_pair(seed, tracks=TRACKS, recorded=recorded)


def _fit_pair(seed: int, *, tracks: int, recorded: MotionSamples | None = None) -> Network:
    """Return the mean of two networks, one of which has seen more static letters as negative samples.

    Alone, this one misses more drawn letters, and the other one reads more letters in other movements.
    """
    networks = []
    for still_share in STILL_SHARES:
        samples = synthetic_motion_samples(
            SYNTHETIC_SIGNERS, tracks=tracks, rng=np.random.default_rng(seed), still_share=still_share
        )
        if recorded is not None:
            samples = MotionSamples(
                inputs=np.concatenate([samples.inputs, recorded.inputs]),
                label=np.concatenate([samples.label, recorded.label]),
            )
        networks.append(fit_motion_network(samples, seed=seed))
    members = tuple(member for network in networks for member in network.members)
    return Network(shape=networks[0].shape, members=members)


def _measure(
    network: Network, contract: MotionContract, tracks: Sequence[Track], metrics: MotionMetrics
) -> MotionMetrics:
    """Add how many held-out clips are recognised at the end of their movement."""
    right: dict[str, int] = {}
    tested: dict[str, int] = {}
    for track in tracks:
        letter, _, end_s = track.letters[0]
        points, valid = sample_track(track.time_s, track.points, min(end_s + 0.1, float(track.time_s[-1])))
        probabilities = network(motion_features(points[None], valid[None], left=np.array([track.left])))[0]
        best = int(probabilities.argmax())
        tested[letter] = tested.get(letter, 0) + 1
        right[letter] = right.get(letter, 0) + (
            contract.classes[best] == letter and float(probabilities[best]) >= contract.threshold
        )
    return MotionMetrics(
        clips=metrics.clips, negatives=metrics.negatives, signers=metrics.signers, tested=tested, right=right
    )  # fmt: skip


def build_starter_motion(seed: int = 0, *, tracks: int = 200) -> Network:
    """Train the motion network of the starter model on synthetic signers, which takes about five minutes."""
    return _fit_pair(seed, tracks=tracks)
