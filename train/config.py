"""Settings of training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from aslkit.core.config import Seed
from aslkit.inference.starter import STARTER_NAME

AUTO: Final = "auto"
"""A feature, an architecture or initial weights that are still to be selected."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Settings of training, section [train]. `get_feature` and `get_architecture` validate the names."""

    feature: Annotated[
        str,
        Meta(
            description="Model input: landmarks (of the hand), embedding (of its pixels, by MediaPipe's landmark "
            "model), both, pixels28 or pixels64 (gray crop of the hand, 28 or 64 pixels wide), hand28 or hand64 (the "
            "same with a black background); auto selects one by cross-validation on the training signers."
        ),
    ] = "both"
    architecture: Annotated[
        str,
        Meta(
            description="mlp, mlp-384, cnn or cnn-bn (with batch normalisation). auto: mlp for landmarks, mlp-384 for "
            "embeddings, one of each for both; for crops, the architecture of the newest benchmark's best network, "
            "otherwise cnn."
        ),
    ] = AUTO
    members: Annotated[
        int, Meta(ge=1, le=100, description="Networks to train and average; 3 bring no reliable gain (ADR 13).")
    ] = 1
    start: Annotated[
        str,
        Meta(
            description="Initial weights: auto (the starter model; for crops, best of the newest benchmark), "
            "starter, a run, a model folder, or empty for random weights."
        ),
    ] = AUTO
    epochs: Annotated[
        int, Meta(ge=1, le=10_000, description="Maximum number of epochs; early stopping may end sooner.")
    ] = 25
    patience: Annotated[
        int, Meta(ge=1, le=10_000, description="Early stopping: epochs without a lower validation loss.")
    ] = 8
    batch_size: Annotated[int, Meta(ge=1, le=65_536, description="Frames per training step.")] = 512
    learning_rate: Annotated[
        float, Meta(ge=1e-7, le=1, description="Initial learning rate; decays to 0 along a cosine.")
    ] = 0.001
    label_smoothing: Annotated[
        float, Meta(ge=0, le=0.9, description="Label smoothing; improves accuracy on unseen signers (ADR 5).")
    ] = 0.2
    both_hands: Annotated[bool, Meta(description="Mirror half of the augmented copies (ADR 5).")] = True
    synthetic: Annotated[
        bool,
        Meta(
            description="Add 40 synthetic signers to the training data, weighted as one signer (ADR 16); not to crops."
        ),
    ] = True
    validation_share: Annotated[
        float,
        Meta(ge=0.01, le=0.9, description="Share of the training frames used for validation, with --hold-out or --cv."),
    ] = 0.15
    test_share: Annotated[
        float, Meta(ge=0.01, le=0.9, description="Share of frames to test on in the random split.")
    ] = 0.2
    seed: Annotated[Seed, Meta(description="Seed of the random number generator.")] = 0

    @property
    def start_model(self) -> Path | None:
        """Path of the initial weights; None if they are random, those of the starter, or still to be selected."""
        return Path(self.start) if self.start not in ("", AUTO, STARTER_NAME) else None
