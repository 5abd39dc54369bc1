"""Transfer of weights from a pre-trained network."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import InputError
from aslkit.core.native_libraries import import_keras
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.fitting import transfer
from aslkit.train.fitting.architectures import get_architecture
from aslkit.train.fitting.balanced_data import list_variants
from aslkit.train.fitting.fit import fit


def test_transfer_weights_copies_all_but_the_last_layer(dataset: Path, tmp_path: Path) -> None:
    keras = import_keras()
    keras.utils.set_random_seed(1)
    source = get_architecture("cnn")((28, 28, 1), 24)
    target = get_architecture("cnn")((28, 28, 1), 24)
    transferred = transfer.transfer_weights(source, target)
    assert len(transferred) == 4  # three convolutions and the dense layer
    np.testing.assert_array_equal(target.layers[0].get_weights()[0], source.layers[0].get_weights()[0])
    assert not np.array_equal(target.layers[-1].get_weights()[0], source.layers[-1].get_weights()[0])
    source.save(tmp_path / "model.keras")
    feature = get_feature("hand28")
    samples = data.load_samples(dataset, feature.contract)
    flags = {"feature": "hand28", "architecture": "cnn", "epochs": 1, "start": str(tmp_path)}
    config = load_settings("train", TrainConfig, flags=flags)
    pre_trained = fit(samples, feature, config)
    scratch = fit(samples, feature, replace(config, start=""))
    assert pre_trained.history != scratch.history


@pytest.mark.parametrize(
    ("start", "rows", "variants"),
    [("starter", 1_620, 6), ("starter", 8_000, 4), ("starter", 60_000, 2), ("", 60_000, 6)],
)
def test_adapting_the_starter_to_many_frames_uses_fewer_copies(start: str, rows: int, variants: int) -> None:
    config = load_settings("train", TrainConfig, flags={"architecture": "mlp", "start": start})
    assert len(list_variants(get_feature("landmarks"), config, rows)) == variants


def test_transfer_weights_rejects_other_architectures(tmp_path: Path) -> None:
    mlp = get_architecture("mlp")((28, 28, 1), 24)
    with pytest.raises(InputError, match="same architecture"):
        transfer.transfer_weights(mlp, get_architecture("cnn")((28, 28, 1), 24))
    with pytest.raises(InputError, match="no model in"):
        transfer.load_start_model(tmp_path)
