"""Accuracy on unseen signers by feature, architecture and initial weights, with and without synthetic signers.

    ./run bench unseen_signers DATASET [--synthetic DATASET] [--start RUN] [--only NAME] [ROW …]

DATASET is a curated dataset of several real signers. Each signer, or only that of --only, is held out in turn, as with
`aslkit train --cv signer`; a frame without a detected hand counts as wrong. Each row is printed as soon as it is
measured. Synthetic signers (`--synthetic`, a curated dataset) are used for training only.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from aslkit.core.config import load_settings
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.augmentation import augment_crops
from aslkit.train.data.features import Feature, get_feature
from aslkit.train.evaluation.predictions import measure_predictions, predict
from aslkit.train.fitting.fit import fit
from aslkit.vision.preprocess import Array

Vary = Callable[[Array, float, np.random.Generator], Array]


def other_rooms(crops: Array, mirrored: float, rng: np.random.Generator) -> Array:
    """Replace the black background of hand crops by another crop."""
    varied = augment_crops(crops, mirrored, rng)
    rooms = np.ascontiguousarray(crops[rng.permutation(len(crops))][:, ::-1])
    noise = rng.uniform(0, 1, (len(crops), 1, 1, 1)).astype(np.float32)
    return np.where(varied > 0.02, varied, 0.5 * rooms + 0.5 * noise).astype(np.float32)


def with_synthetic(real: data.Samples, made: data.Samples, weight: int) -> data.Samples:
    """Add synthetic signers to the real ones, with the weight of `weight` real signers."""
    names = np.array([f"synthetic-{int(name.rsplit('-', 1)[1]) % weight}" for name in made.signer])
    made = replace(made, signer=names, split=np.full(len(made), "train"))
    joined = {
        name: np.concatenate([getattr(real, name), getattr(made, name)])
        for name in ("hands", "key", "label", "signer", "session", "hand_found", "is_copy", "split")
    }
    return data.Samples(**joined, group=np.concatenate([real.group, made.group + real.group.max() + 1]), by="signer")


def row(name: str, asked: argparse.Namespace, chosen: Feature, config: TrainConfig, *, weight: int = 0) -> None:
    """Hold out each real signer in turn, and print each accuracy and the mean."""
    start = time.perf_counter()
    samples = data.load_samples(asked.dataset, chosen.contract)
    extra = data.load_samples(asked.synthetic, chosen.contract) if asked.synthetic and weight else None
    people, right = [asked.only] if asked.only else sorted(set(samples.signer.tolist())), []
    for person in people:
        split = data.hold_out_signers(samples, [person], config)
        shown = with_synthetic(split, extra, weight) if extra is not None else split
        found = measure_predictions(predict(fit(shown, chosen, config).model, split, chosen, split="test"))
        right.append(found.accuracy)
    cells = "  ".join(f"{person} {share:.3f}" for person, share in zip(people, right, strict=True))
    print(f"{name:45}  {cells}  mean {np.mean(right):.3f}  {time.perf_counter() - start:.0f} s", flush=True)


def main(arguments: list[str]) -> None:
    """Measure the requested rows, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--synthetic", type=Path)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--only", metavar="NAME")
    parser.add_argument("rows", nargs="*")
    asked = parser.parse_intermixed_args(arguments)
    hand28, hand64 = get_feature("hand28"), get_feature("hand64")
    rooms = replace(hand28, augment=other_rooms)
    twice = replace(hand28, copies=3)
    rows: dict[str, tuple[Feature, dict[str, object], int]] = {
        "landmarks": (get_feature("landmarks"), {"architecture": "mlp"}, 0),
        "landmarks, 1 of synthetic": (get_feature("landmarks"), {"architecture": "mlp"}, 1),
        "landmarks, 4 of synthetic": (get_feature("landmarks"), {"architecture": "mlp"}, 4),
        "pixels28 cnn": (get_feature("pixels28"), {"architecture": "cnn"}, 0),
        "pixels28 cnn-bn": (get_feature("pixels28"), {"architecture": "cnn-bn"}, 0),
        "hand28 cnn": (hand28, {"architecture": "cnn"}, 0),
        "hand28 cnn-bn": (hand28, {"architecture": "cnn-bn"}, 0),
        "hand28 cnn-bn, transferred": (hand28, {"architecture": "cnn-bn", "start": str(asked.start)}, 0),
        "hand28 cnn-bn, other rooms": (rooms, {"architecture": "cnn-bn"}, 0),
        "hand28 cnn-bn, three copies": (twice, {"architecture": "cnn-bn"}, 0),
        "hand28 cnn-bn, 2 of synthetic": (hand28, {"architecture": "cnn-bn"}, 2),
        "hand64 cnn-bn": (hand64, {"architecture": "cnn-bn"}, 0),
        "pixels28 cnn-bn, transferred": (
            get_feature("pixels28"), {"architecture": "cnn-bn", "start": str(asked.start)}, 0,
        ),
    }  # fmt: skip
    for name in asked.rows or rows:
        chosen, flags, weight = rows[name]
        if (weight and not asked.synthetic) or (flags.get("start") == "None"):
            continue
        config = load_settings("train", TrainConfig, flags={"start": "", **flags})
        row(name, asked, chosen, config, weight=weight)


if __name__ == "__main__":
    main(sys.argv[1:])
