"""A network has the shape it says, can learn one batch by heart, and says the same after saving and loading."""

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
from aslkit.train.evaluation.predictions import measure_predictions, predict
from aslkit.train.fitting.architectures import ARCHITECTURES, get_architecture
from aslkit.train.fitting.fit import FitResult, TrainingFolders, fit
from aslkit.vision.preprocess import Array


def config(**changed: object) -> TrainConfig:
    return load_settings("train", TrainConfig, flags={"architecture": "mlp", "epochs": 12, **changed})


def learned(fitted: FitResult) -> list[dict[str, float]]:
    """The history without the time it took."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in fitted.history]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_learns_one_batch_and_survives_saving(name: str, tmp_path: Path, rng: np.random.Generator) -> None:
    keras = import_keras()
    keras.utils.set_random_seed(0)
    model = get_architecture(name)((28, 28, 1), 24)
    inputs = rng.random((16, 28, 28, 1)).astype(np.float32)
    labels = rng.integers(0, 24, 16)
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    model.fit(inputs, labels, epochs=120, batch_size=16, verbose=0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.5  # else its averages would need many more steps than the weights
    for _ in range(20):
        model(inputs, training=True)
    said = model.predict(inputs, verbose=0)
    assert said.shape == (16, 24)
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)
    assert (said.argmax(axis=1) == labels).all()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(again.predict(inputs, verbose=0), said, atol=1e-6)


def test_cnn_refuses_landmarks_and_says_what_to_do() -> None:
    with pytest.raises(InputError, match="--feature pixels28"):
        get_architecture("cnn")((262,), 24)


def test_unknown_architecture_lists_the_known() -> None:
    with pytest.raises(InputError, match="mlp, cnn"):
        get_architecture("resnet")


def test_learns_letters_of_people_it_never_saw(dataset: Path) -> None:
    chosen = get_feature("landmarks")
    samples = data.load_samples(dataset, chosen.contract)
    fitted = fit(samples, chosen, config())
    measured = measure_predictions(predict(fitted.model, samples, chosen, split="test"))
    assert (measured.accuracy_hand_found or 0) > 0.8  # four letters: 0.25 by chance
    assert measured.coverage == pytest.approx(5 / 6)
    assert measured.accuracy == pytest.approx((measured.accuracy_hand_found or 0) * 5 / 6)
    assert set(fitted.history[0]) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"}


def test_same_seed_same_model(dataset: Path) -> None:
    chosen = get_feature("landmarks")
    samples = data.load_samples(dataset, chosen.contract)
    first, second = (learned(fit(samples, chosen, config(epochs=2))) for _ in range(2))
    other = learned(fit(samples, chosen, config(epochs=2, seed=1)))
    assert first == second
    assert first != other


@pytest.mark.parametrize("start", [False, True])
def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(
    start: bool, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = get_feature("hand28" if start else "landmarks")
    samples = data.load_samples(dataset, chosen.contract)
    settings = config(epochs=4, start="", **({"architecture": "cnn"} if start else {}))
    if start:
        fit(samples, chosen, replace(settings, epochs=1)).model.save(tmp_path / "other.keras")
        settings = replace(settings, start=str(tmp_path / "other.keras"))
    whole = fit(samples, chosen, settings)
    kept = tmp_path / "checkpoints"
    watch = TrainingFolders(kept=kept)

    def vary(points: Array, mirrored: float, rng: np.random.Generator) -> Array:
        if list(kept.glob("*/checkpoint.npz")):  # an epoch or two are done
            raise KeyboardInterrupt
        return chosen.vary(points, mirrored, rng)

    with pytest.raises(KeyboardInterrupt):
        fit(samples, replace(chosen, vary=vary), settings, watch=watch)
    assert len(list(kept.iterdir())) == 1
    again = fit(samples, chosen, settings, watch=watch)
    assert learned(again) == learned(whole)
    for mine, theirs in zip(again.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    once_more = fit(samples, chosen, settings, watch=watch)  # done: nothing is learned again
    assert once_more.history == again.history
    other = fit(samples, chosen, replace(settings, seed=5), watch=watch)  # another training: not taken up
    assert learned(other) != learned(whole)


def test_test_rows_have_no_part_in_training(dataset: Path) -> None:
    chosen = get_feature("landmarks")
    samples = data.load_samples(dataset, chosen.contract)
    spoilt = np.where((samples.split == "test")[:, None, None], np.float32(7), samples.raw)
    histories = [learned(fit(each, chosen, config(epochs=2))) for each in (samples, replace(samples, raw=spoilt))]
    assert histories[0] == histories[1]


def test_without_validation_rows_trains_to_the_end(dataset: Path) -> None:
    chosen = get_feature("landmarks")
    samples = data.load_samples(dataset, chosen.contract)
    no_check = replace(samples, split=np.where(samples.split == "validation", "train", samples.split))
    fitted = fit(no_check, chosen, config(epochs=3))
    assert len(fitted.history) == 3
    assert set(fitted.history[0]) == {"epoch", "loss", "accuracy", "seconds"}


def test_one_letter_is_too_few(dataset: Path) -> None:
    chosen = get_feature("landmarks")
    samples = data.load_samples(dataset, chosen.contract)
    with pytest.raises(AslkitError, match="Fewer than two letters"):
        fit(replace(samples, label=np.zeros_like(samples.label)), chosen, config())


def test_images_without_a_single_hand_are_told_of(dataset: Path) -> None:
    chosen = get_feature("landmarks")
    samples = data.load_samples(dataset, chosen.contract)
    with pytest.raises(AslkitError, match="No hand was found in any of these images"):
        fit(replace(samples, found=np.zeros_like(samples.found)), chosen, config())
