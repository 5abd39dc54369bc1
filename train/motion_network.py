"""Train the network that recognises drawn letters, J and Z, from the landmarks of the last moments."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.compute as pc

from aslkit.core.letters import NO_LETTER
from aslkit.core.native_libraries import import_keras
from aslkit.core.progress import OnMessage, progress_bar
from aslkit.datasets import parquet_store
from aslkit.datasets.clips import DatasetClip, load_clips
from aslkit.formats.run_metrics import MotionMetrics
from aslkit.inference.convert_keras import convert_network
from aslkit.inference.load_model import load_motion_network, load_network
from aslkit.inference.network import Network
from aslkit.inference.starter import STARTER_RUN
from aslkit.synthetic.movements.tracks import Track
from aslkit.train.data.motion_clips import dataset_track, recorded_negative_tracks, vary_tracks
from aslkit.train.data.motion_samples import MotionSamples, cut_windows, synthetic_motion_samples
from aslkit.vision.hand_landmarker import Hand, Handedness
from aslkit.vision.motion.contract import MOTION_CLASSES, MotionContract
from aslkit.vision.motion.features import MOTION_VALUES
from aslkit.vision.motion.reader import MotionReader

SYNTHETIC_SIGNERS: Final = tuple(f"synthetic-motion-{number:02d}" for number in range(40))
TRACKS: Final = 60
"""Performances of each synthetic signer for a run; the starter model uses more."""

LATE_S: Final = 0.3
"""A letter must be read at most this long after the end of its movement, seconds."""

REST_INTERVAL_S: Final = 1 / 30
"""Time between the frames that are added after the end of a clip, seconds."""

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
    clips = load_clips(dataset)
    tested = {clip.name for clip in clips if test and _is_held_out(clip, hold_out)}
    # Clips that overlap with a tested one, such as of the same video, would leak.
    groups = {clip.group for clip in clips if clip.name in tested and clip.group is not None}
    trained = [clip for clip in clips if clip.name not in tested and clip.group not in groups]
    tracks = [track for clip in trained if (track := dataset_track(clip))]
    test_signers = find_test_signers(dataset, hold_out) if test else set()
    signers = {path.name for path in captures.iterdir()} if captures and captures.is_dir() else set()
    negatives, test_negatives = (
        recorded_negative_tracks(captures, names, on_message) if captures else []
        for names in (signers - test_signers, signers & test_signers)
    )
    network = _fit([*tracks, *negatives], seed) if tracks or negatives else load_starter_motion()
    trained_signers = {clip.signer for clip in trained}
    measured = [(clip.letter, dataset_track(clip)) for clip in clips if clip.name in tested]
    measured += [(NO_LETTER, track) for track in test_negatives]
    counts, right = _measure(network, MotionContract(), measured)
    metrics = MotionMetrics(
        clips=len(tracks), negatives=len(negatives), signers=sorted(trained_signers), tested=counts, right=right,
        unseen=not trained_signers & {clip.signer for clip in clips if clip.name in tested},
    )  # fmt: skip
    return TrainedMotion(network=network, contract=MotionContract(), metrics=metrics)


def _is_held_out(clip: DatasetClip, hold_out: Sequence[str]) -> bool:
    return clip.signer in hold_out if hold_out else clip.split == "test"


def find_test_signers(dataset: Path, hold_out: Sequence[str]) -> set[str]:
    """Return the signers that a run is tested on and not trained on: the given ones, or those of the test split alone.

    If the test split was held out by session or block, its signers are trained on as well, so there are none.
    """
    if hold_out:
        return set(hold_out)
    table = parquet_store.read_dataset(dataset, ["signer"])
    in_test = pc.equal(table.column("split"), "test")
    tested, others = (
        set(table.filter(rows).column("signer").unique().to_pylist()) for rows in (in_test, pc.invert(in_test))
    )
    return tested - others


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
    network: Network, contract: MotionContract, tracks: Sequence[tuple[str, Track | None]]
) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many tracks there are of each letter or "none", and how many of them are read right."""
    counts, right = Counter[str](), Counter[str]()
    for letter, track in tracks:
        counts[letter] += 1
        right[letter] += track is not None and _is_right(network, contract, letter, track)
    return dict(counts), dict(right)


def _is_right(network: Network, contract: MotionContract, letter: str, track: Track) -> bool:
    """Return whether live recognition reads a track right: its letter in time, and no other one."""
    reader = MotionReader(network, contract)
    side: Handedness = "left" if track.left else "right"
    last_s = float(track.time_s[-1])
    # A clip may end with its movement. The hand then rests.
    rest_s = np.arange(last_s + REST_INTERVAL_S, last_s + LATE_S, REST_INTERVAL_S)
    read = []
    for row, time_s in enumerate([*track.time_s.tolist(), *rest_s.tolist()]):
        points = track.points[min(row, len(track.points) - 1)]
        hand = Hand(landmarks=points, handedness=side, score=1.0)
        found = reader.observe(time_s, hand, width=1, height=1).letter  # the points are in pixels already
        if found is not None:
            read.append((found.letter, time_s))
    if letter == NO_LETTER:
        return not read
    return [each for each, _ in read] == [letter] and read[0][1] <= track.letters[0][2] + LATE_S


def build_starter_motion(seed: int = 0, *, tracks: int = 200) -> Network:
    """Train the motion network of the starter model on synthetic signers, which takes about five minutes."""
    return _fit_pair(seed, tracks=tracks)
