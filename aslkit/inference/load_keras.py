"""A model.keras that anybody may have written: looked into before Keras makes anything of it.

Keras' safe mode was got round more than once (CVE-2025-1550, CVE-2025-9905, CVE-2026-1462, CVE-2026-12481), each time
by a part that imports or runs what the file names. So a file is handed to Keras only if it is made of parts that do
neither.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from aslkit.core.errors import AslkitError
from aslkit.core.native_libraries import import_keras

KNOWN: Final = frozenset((
    "Functional", "Sequential", "InputLayer", "Dense", "Conv2D", "MaxPooling2D", "AveragePooling2D",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "Flatten", "Reshape", "Dropout",
    "BatchNormalization", "Normalization", "Rescaling", "ReLU", "LeakyReLU", "Softmax", "Activation", "Concatenate",
    "Add", "Average", "ZeroPadding2D", "SeparableConv2D", "DepthwiseConv2D", "GlorotUniform", "GlorotNormal",
    "HeUniform", "HeNormal", "RandomUniform", "RandomNormal", "TruncatedNormal", "VarianceScaling", "Zeros", "Ones",
    "Constant", "L1", "L2", "L1L2", "DTypePolicy", "__keras_tensor__", "__tensor__", "__numpy__", "__tuple__",
))  # fmt: skip
"""Names of classes that aslkit's networks, and others that one may begin with, are made of."""

MAX_BYTES: Final = 1 << 30
"""Of all that a file unpacks to: aslkit's own have less than a hundredth."""

_CONFIG: Final = "config.json"


def load_keras_file(path: Path) -> Any:
    """Load a keras.Model, not compiled.

    Raises:
        AslkitError: it is damaged, of another form, has parts that are not KNOWN, or TensorFlow is not installed.
    """
    if path.suffix != ".keras":  # by it Keras chooses how to read: the older forms know no safe mode
        raise AslkitError(f"{path} is no .keras file, which is the only form that is opened.")
    keras = import_keras()
    try:
        strange = sorted(set(_strange(_looked_into(path))))
        if not strange:
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except MemoryError:
        raise
    except Exception as error:  # Keras, zipfile and h5py raise whatever a damaged file leads them to
        raise AslkitError(f"{path} is missing or damaged, or no model of Keras 3. Copy it again.") from error
    raise AslkitError(f"{path} has parts that aslkit does not know, and does not open: {', '.join(strange[:5])}.")


def _looked_into(path: Path) -> Any:
    """The description of a model's layers, of a file whose checksums hold."""
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
            raise ValueError(f"it unpacks to more than {MAX_BYTES:,} bytes")
        if damaged := archive.testzip():  # Keras seeks: from Python 3.12 on, no checksum is asked for then
            raise zipfile.BadZipFile(damaged)
        described: dict[str, Any] = json.loads(archive.read(_CONFIG))
    described.pop("compile_config", None)  # not read where a model is not compiled
    return described


def _strange(described: Any) -> Iterator[str]:
    """Names of classes that are not KNOWN, or not Keras' own."""
    waiting = [described]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            if "class_name" in value or "module" in value or "registered_name" in value:
                name, module, registered = (value.get(key) for key in ("class_name", "module", "registered_name"))
                own = module is None or module == "keras" or str(module).startswith("keras.")
                if not isinstance(name, str) or name not in KNOWN or registered not in (None, name) or not own:
                    yield f"{str(module)[:40]!r}.{str(name)[:40]!r}"
