"""Training of all architectures: output shape, learning, saving and loading, resuming."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.native_libraries import import_keras
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.engine import row_blocks, train_network
from aslkit.train.engine.train_network import TrainingResources
from aslkit.train.evaluation.predictions import measure_predictions, predict
from aslkit.train.fitting.architectures import ARCHITECTURES, get_architecture
from aslkit.train.fitting.fit import FitResult, fit
from aslkit.vision.preprocess import Array


def config(**changed: object) -> TrainConfig:
    return load_settings("train", TrainConfig, flags={"architecture": "mlp", "epochs": 12, **changed})


def history_without_time(fitted: FitResult) -> list[dict[str, float]]:
    """Return the history without the durations."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in fitted.history]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architecture_learns_one_batch_and_survives_saving(name: str, tmp_path: Path, rng: np.random.Generator) -> None:
    keras = import_keras()
    keras.utils.set_random_seed(0)
    model = get_architecture(name)((28, 28, 1), 24)
    inputs = rng.random((16, 28, 28, 1)).astype(np.float32)
    labels = rng.integers(0, 24, 16)
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    # The same batch 120 times. As one epoch, because starting an epoch takes longer than these steps.
    model.fit(np.tile(inputs, (120, 1, 1, 1)), np.tile(labels, 120), batch_size=16, shuffle=False, verbose=0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.5  # with the default, the moving averages would need many more steps than the weights
    for _ in range(20):
        model(inputs, training=True)
    probabilities = model.predict(inputs, verbose=0)
    assert probabilities.shape == (16, 24)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities.argmax(axis=1) == labels).all()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(loaded.predict(inputs, verbose=0), probabilities, atol=1e-6)


def test_cnn_rejects_landmarks() -> None:
    with pytest.raises(InputError, match="--feature pixels28"):
        get_architecture("cnn")((262,), 24)


def test_get_architecture_lists_known_architectures_for_an_unknown_name() -> None:
    with pytest.raises(InputError, match="mlp, mlp-384, cnn"):
        get_architecture("resnet")


def test_fit_generalises_to_unseen_signers(dataset: Path) -> None:
    feature = get_feature("landmarks")
    samples = data.load_samples(dataset, feature.contract)
    fitted = fit(samples, feature, config())
    metrics = measure_predictions(predict(fitted.model, samples, feature, split="test"))
    assert (metrics.accuracy_hand_found or 0) > 0.8  # four letters: 0.25 at random
    assert metrics.coverage == pytest.approx(5 / 6)
    assert metrics.accuracy == pytest.approx((metrics.accuracy_hand_found or 0) * 5 / 6)
    names = {"loss", "accuracy", "precision", "recall"}
    assert set(fitted.history[0]) == {"epoch", "seconds", *names, *(f"val_{name}" for name in names)}


def test_rows_on_disk_train_like_rows_in_memory(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    feature = get_feature("landmarks")
    samples = data.load_samples(dataset, feature.contract)
    in_memory = fit(samples, feature, config(start=""))
    monkeypatch.setattr(train_network, "MEMORY_BYTES", 0)
    monkeypatch.setattr(row_blocks, "BLOCK_BYTES", 16 * 252)  # several blocks
    on_disk = fit(samples, feature, config(start=""))
    losses = [[row["val_loss"] for row in each.history] for each in (in_memory, on_disk)]
    assert losses[0] != losses[1]  # another order
    assert losses[0][-1] == pytest.approx(losses[1][-1], rel=0.1)


def test_fit_is_reproducible(dataset: Path) -> None:
    feature = get_feature("landmarks")
    samples = data.load_samples(dataset, feature.contract)
    first, second = (history_without_time(fit(samples, feature, config(epochs=2))) for _ in range(2))
    other = history_without_time(fit(samples, feature, config(epochs=2, seed=1)))
    assert first == second
    assert first != other


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("start", [False, True])
def test_resumed_training_equals_uninterrupted_training(
    start: bool, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feature = get_feature("hand28" if start else "landmarks")
    samples = data.load_samples(dataset, feature.contract)
    settings = config(epochs=4, start="", **({"architecture": "cnn"} if start else {}))
    if start:
        fit(samples, feature, replace(settings, epochs=1)).model.save(tmp_path / "other.keras")
        settings = replace(settings, start=str(tmp_path / "other.keras"))
    uninterrupted = fit(samples, feature, settings)
    checkpoints = tmp_path / "checkpoints"
    resources = TrainingResources(checkpoints=str(checkpoints))

    def augment(points: Array, mirrored_share: float, rng: np.random.Generator) -> Array:
        if list(checkpoints.glob("*/checkpoint.npz")):  # after one or two epochs
            raise KeyboardInterrupt
        return feature.augment(points, mirrored_share, rng)

    with pytest.raises(KeyboardInterrupt):
        fit(samples, replace(feature, augment=augment), settings, resources=resources)
    assert len(list(checkpoints.iterdir())) == 1
    resumed = fit(samples, feature, settings, resources=resources)
    assert history_without_time(resumed) == history_without_time(uninterrupted)
    for actual, expected in zip(resumed.model.get_weights(), uninterrupted.model.get_weights(), strict=True):
        np.testing.assert_array_equal(actual, expected)
    finished = fit(samples, feature, settings, resources=resources)  # already finished: not trained again
    assert finished.history == resumed.history
    other = fit(samples, feature, replace(settings, seed=5), resources=resources)  # other settings: not resumed
    assert history_without_time(other) != history_without_time(uninterrupted)


def test_fit_ignores_test_rows(dataset: Path) -> None:
    feature = get_feature("landmarks")
    samples = data.load_samples(dataset, feature.contract)
    modified = np.where((samples.split == "test")[:, None, None], np.float32(7), samples.hands)
    histories = [
        history_without_time(fit(each, feature, config(epochs=2)))
        for each in (samples, replace(samples, hands=modified))
    ]
    assert histories[0] == histories[1]


def test_fit_without_validation_rows_trains_all_epochs(dataset: Path) -> None:
    feature = get_feature("landmarks")
    samples = data.load_samples(dataset, feature.contract)
    no_validation = replace(samples, split=np.where(samples.split == "validation", "train", samples.split))
    fitted = fit(no_validation, feature, config(epochs=3))
    assert len(fitted.history) == 3
    assert set(fitted.history[0]) == {"epoch", "loss", "accuracy", "precision", "recall", "seconds"}


def test_fit_rejects_a_single_letter(dataset: Path) -> None:
    feature = get_feature("landmarks")
    samples = data.load_samples(dataset, feature.contract)
    with pytest.raises(AslkitError, match="Fewer than two letters"):
        fit(replace(samples, label=np.zeros_like(samples.label)), feature, config())


def test_fit_rejects_images_without_hands(dataset: Path) -> None:
    feature = get_feature("landmarks")
    samples = data.load_samples(dataset, feature.contract)
    with pytest.raises(AslkitError, match="No hand was found in any of these images"):
        fit(replace(samples, hand_found=np.zeros_like(samples.hand_found)), feature, config())
