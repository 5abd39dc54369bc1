"""Loads an untrusted model.keras: its contents are checked before Keras reads them.

Keras' safe mode was bypassed several times (CVE-2025-1550, CVE-2025-9905, CVE-2026-1462, CVE-2026-12481), each time
with a class that imports or executes something named in the file. Keras therefore only gets files that consist of
allowed classes, none of which does so.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from aslkit.core.errors import AslkitError
from aslkit.core.native_libraries import import_keras

ALLOWED_CLASSES: Final = frozenset((
    "Functional", "Sequential", "InputLayer", "Dense", "Conv2D", "MaxPooling2D", "AveragePooling2D",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "Flatten", "Reshape", "Cropping1D",
    "Dropout",
    "BatchNormalization", "Normalization", "Rescaling", "ReLU", "LeakyReLU", "Softmax", "Activation", "Concatenate",
    "Add", "Average", "ZeroPadding2D", "SeparableConv2D", "DepthwiseConv2D", "GlorotUniform", "GlorotNormal",
    "HeUniform", "HeNormal", "RandomUniform", "RandomNormal", "TruncatedNormal", "VarianceScaling", "Zeros", "Ones",
    "Constant", "L1", "L2", "L1L2", "DTypePolicy", "__keras_tensor__", "__tensor__", "__numpy__", "__tuple__",
))  # fmt: skip
"""Classes used by the networks of aslkit, and by common networks that can be used as initial weights."""

MAX_UNPACKED_BYTES: Final = 1 << 30
"""Limit for the unpacked size of a file. The networks of aslkit need less than 1 % of it."""

_CONFIG_FILE: Final = "config.json"


def load_keras_file(path: Path) -> Any:
    """Load a keras.Model without compiling it.

    Raises:
        AslkitError: the file is missing, damaged, not in the .keras format, or contains classes that are not in
            ALLOWED_CLASSES; or TensorFlow is not installed.
    """
    if path.suffix != ".keras":  # Keras chooses the format by the suffix, and the older formats have no safe mode
        raise AslkitError(f"{path} is not a .keras file. Other formats are not supported.")
    keras = import_keras()
    try:
        unknown = sorted(set(_find_unknown_classes(_read_config(path))))
        if not unknown:
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except MemoryError:
        raise
    except Exception as error:  # Keras, zipfile and h5py raise all kinds of exceptions for damaged files
        raise AslkitError(f"{path} is missing, damaged, or not a Keras 3 model. Copy it again.") from error
    raise AslkitError(
        f"{path} contains classes that aslkit does not allow, and was not loaded: {', '.join(unknown[:5])}."
    )


def _read_config(path: Path) -> Any:
    """Return the configuration of a model's layers, after checking size and checksums of the file."""
    with zipfile.ZipFile(path) as archive:
        # A small zip file can unpack to terabytes (zip bomb).
        if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise ValueError(f"the unpacked file is larger than {MAX_UNPACKED_BYTES:,} bytes")
        # Keras seeks in the file, and since Python 3.12 zipfile then no longer verifies the checksum.
        if damaged := archive.testzip():
            raise zipfile.BadZipFile(damaged)
        config: dict[str, Any] = json.loads(archive.read(_CONFIG_FILE))
    config.pop("compile_config", None)  # ignored by Keras, because the model is not compiled
    return config


def _find_unknown_classes(config: Any) -> Iterator[str]:
    """Yield the names of classes that are not in ALLOWED_CLASSES or do not come from Keras."""
    # A list instead of recursion, so that deep nesting does not exceed the recursion limit.
    pending = [config]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            pending += value.values()
            if "class_name" in value or "module" in value or "registered_name" in value:
                name, module, registered = (value.get(key) for key in ("class_name", "module", "registered_name"))
                from_keras = module is None or module == "keras" or str(module).startswith("keras.")
                allowed = isinstance(name, str) and name in ALLOWED_CLASSES and registered in (None, name)
                if not (allowed and from_keras):
                    yield f"{str(module)[:40]!r}.{str(name)[:40]!r}"
