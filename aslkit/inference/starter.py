"""The starter model: shipped with aslkit, so that letters are recognised before anything is recorded or trained.

Its folder `starter/` has the files of a run that inference needs, and a model card. `aslkit.train.build_starter` builds
it.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aslkit.inference.network import Network
    from aslkit.vision.preprocess import PreprocessConfig

STARTER_NAME: Final = "starter"
"""Name of the starter model where a run can be named."""

STARTER_RUN: Final = Path(__file__).with_name(STARTER_NAME)
"""Its run folder, in the installed package. It must not be written to."""


LANDMARK_CONTRACT: Final = "landmarks.json"
"""Contract of the starter's landmark network alone, in its model folder."""


@cache
def load_starter() -> "tuple[Network, PreprocessConfig]":
    """Load the starter model and its contract, once per process."""
    # Not at the top: the command line imports this module, and its help must not load NumPy.
    from aslkit.inference.load_model import load_network

    return load_network(STARTER_RUN)


@cache
def load_landmark_starter() -> "tuple[Network, PreprocessConfig]":
    """Load the starter's landmark network alone and its contract, for checks that must be fast or have no image."""
    from aslkit.vision.preprocess import LANDMARK_VALUES, PreprocessConfig

    network, _ = load_starter()
    return network.part(0, LANDMARK_VALUES), PreprocessConfig.load(STARTER_RUN / "model" / LANDMARK_CONTRACT)


def output_folder(run: Path, workspace: Path) -> Path:
    """Return the folder for a run's evaluations and exports: the run, or WORKSPACE/starter for the starter model."""
    return workspace / STARTER_NAME if run == STARTER_RUN else run
