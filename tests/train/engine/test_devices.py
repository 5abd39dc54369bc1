"""GPUs: one for each rank, mixed precision where it is fast, and training with it, tried on the CPU."""

from typing import Any

import numpy as np
import pytest

from aslkit.core.letters import LETTERS
from aslkit.core.native_libraries import import_keras
from aslkit.train.engine import devices
from aslkit.train.engine.devices import BFLOAT16, CPU, FLOAT32, Device, copy_with_precision, prepare_device
from aslkit.train.engine.training_loop import Schedule, run_training
from aslkit.train.engine.training_rows import RankData, stream_arrays
from aslkit.train.engine.training_state import TrainingState
from aslkit.train.engine.training_step import SingleProcess
from aslkit.train.fitting.architectures import build_ensemble

RNG = np.random.default_rng(0)


def test_without_a_gpu_the_cpu_is_used() -> None:
    assert prepare_device() == CPU
    assert str(CPU) == "CPU"


@pytest.mark.parametrize(("capability", "precision"), [((9, 0), BFLOAT16), ((7, 5), FLOAT32), (None, FLOAT32)])
def test_each_rank_gets_its_own_gpu(capability: Any, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import_keras(exact=False)
    import tensorflow as tf

    visible, details = [], {"device_name": "NVIDIA H100"} | ({"compute_capability": capability} if capability else {})
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu 0", "gpu 1"])
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda gpus, kind: visible.extend(gpus))
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, enabled: None)
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    device = [prepare_device(rank) for rank in range(3)][1]
    assert visible == ["gpu 0", "gpu 1", "gpu 0"]
    assert device == Device(name="NVIDIA H100", precision=precision, jit=True)
    assert str(device).endswith(precision) == (precision == BFLOAT16)


def test_mixed_precision_keeps_weights_normalization_and_probabilities_in_float32() -> None:
    network, _ = build_ensemble("mlp", (30,), len(LETTERS), members=2, rest_class=True)
    inputs = RNG.normal(100, 5, (8, 30)).astype(np.float32)
    for layer in devices.iter_layers(network):
        if hasattr(layer, "adapt"):
            layer.adapt(inputs)
    mixed = copy_with_precision(network, BFLOAT16)
    assert "bfloat16" not in {str(each.dtype) for each in mixed.weights}
    used = [(type(each).__name__, each.compute_dtype) for each in devices.iter_layers(mixed) if each.weights][:4]
    assert used == [("Normalization", "float32"), ("Dense", "bfloat16"), ("Dense", "bfloat16"), ("Dense", "float32")]
    outputs = np.asarray(mixed(inputs))
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs, np.asarray(network(inputs)), atol=0.01)


def test_training_with_mixed_precision_and_xla_learns() -> None:
    label = RNG.integers(0, 4, 400)
    images = (np.eye(4)[label] * 3 + RNG.normal(0, 1, (400, 4))).astype(np.float32)
    keras = import_keras(exact=False)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(16, activation="relu"),
                              keras.layers.Dense(4, activation="softmax")])  # fmt: skip
    before = model.get_weights()
    data = RankData(
        train=[stream_arrays(images[:300], label[:300]).load()],
        validation=[stream_arrays(images[300:], label[300:]).load()],
        total=300,
    )
    schedule = Schedule(epochs=8, patience=0, batch_size=32, learning_rate=0.02, warmup_epochs=0, cosine=False,
                        label_smoothing=0)  # fmt: skip
    state = run_training(
        model, data, schedule, variants=[lambda images, rng: images], to_inputs=lambda images: images, seed=0,
        ranks=SingleProcess(), device=Device(name="test", precision=BFLOAT16, jit=True), state=TrainingState(),
        after_epoch=lambda state: None,
    )  # fmt: skip
    assert state.history[-1]["val_accuracy"] > 0.85
    assert not np.array_equal(model.get_weights()[0], before[0])
    assert (np.asarray(model(images[300:])).argmax(axis=1) == label[300:]).mean() > 0.85
