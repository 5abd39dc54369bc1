"""Build the starter model that aslkit ships (`aslkit.inference.starter`).

    python -m aslkit.train.build_starter LICENSED STRANGERS

LICENSED is a dataset of people whose licences permit publishing what is trained on them, each listed in credits.csv of
the starter model. STRANGERS is a dataset of other people, on whom the model is measured; nothing is chosen on them.
"""

import csv
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from aslkit.core.config import load_settings
from aslkit.core.errors import InputError
from aslkit.core.files import write_text
from aslkit.formats.run_folder import METRICS_FILE
from aslkit.inference import network_file
from aslkit.inference.load_model import load_network
from aslkit.inference.network import Layer, Network
from aslkit.inference.starter import LANDMARK_CONTRACT, STARTER_RUN
from aslkit.train.config import TrainConfig
from aslkit.train.evaluate_run import evaluate_run
from aslkit.train.motion_network import build_starter_motion
from aslkit.train.pipeline import train
from aslkit.train.reporting.model_card import CARD_FILE, Credit, render_starter_card
from aslkit.vision.preprocess import CONTRACT_FILE, LANDMARK_VALUES, MOTION_FILE, NETWORK_FILE

CREDITS_FILE: Final = "credits.csv"

SETTINGS: Final = {"start": "", "feature": "both"}
"""Settings of [train]: the starter must not start from itself."""


def build_starter(licensed: Path, strangers: Path, folder: Path = STARTER_RUN) -> float | None:
    """Train, calibrate on held-out people of LICENSED, measure on STRANGERS, and write the starter's files.

    Args:
        licensed: dataset to train on.
        strangers: dataset to measure on.
        folder: folder with credits.csv, to which the files are written.

    Returns:
        Mean accuracy over the people of STRANGERS, 0–1.

    Raises:
        InputError: a person in LICENSED has no entry in credits.csv.
    """
    credits = read_credits(folder / CREDITS_FILE)
    both, landmarks = (
        load_settings("train", TrainConfig, flags=SETTINGS | {"feature": feature}) for feature in ("both", "landmarks")
    )
    with tempfile.TemporaryDirectory() as runs:
        trained = train(licensed, runs=Path(runs), config=both, cv="signer", on_message=print)
        if missing := set(trained.metrics.trained_on.signers) - {each.signer for each in credits}:
            raise InputError(f"{folder / CREDITS_FILE} does not list {', '.join(sorted(missing))}.")
        # The landmark network is also used alone, so it is trained and calibrated alone.
        alone = train(licensed, runs=Path(runs), config=landmarks, cv="signer", on_message=print)
        combined = replace_landmark_network(load_network(trained.folder)[0], load_network(alone.folder)[0])
        network_file.write_network(trained.folder / "model" / NETWORK_FILE, combined)
        metrics = evaluate_run(trained.folder, strangers).metrics
        (folder / "model").mkdir(exist_ok=True)
        for name in (NETWORK_FILE, CONTRACT_FILE):
            shutil.copy(trained.folder / "model" / name, folder / "model" / name)
        network_file.write_network(folder / "model" / MOTION_FILE, build_starter_motion())
        shutil.copy(alone.folder / "model" / CONTRACT_FILE, folder / "model" / LANDMARK_CONTRACT)
    write_text(folder / METRICS_FILE, metrics.to_json())
    write_text(folder / CARD_FILE, render_starter_card(metrics, credits))
    return metrics.headline_accuracy


def replace_landmark_network(both: Network, landmarks: Network) -> Network:
    """Return a network for landmarks and embeddings with another network for the landmarks."""
    part = Layer(kind="slice", size=(0, LANDMARK_VALUES))
    members = [(part, *landmarks.members[0]) if member[0] == part else member for member in both.members]
    return Network(shape=both.shape, members=tuple(members), weights=both.weights)


def read_credits(path: Path) -> list[Credit]:
    """Read credits.csv: signer, source, licence."""
    with path.open(encoding="utf-8", newline="") as file:
        return [Credit(**row) for row in csv.DictReader(file)]


if __name__ == "__main__":
    print(f"Accuracy on strangers: {build_starter(*map(Path, sys.argv[1:])):.1%}")
