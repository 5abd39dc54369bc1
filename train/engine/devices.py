"""The processor that a network is trained on: a GPU if TensorFlow has one, otherwise the CPU; and its threads."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from aslkit.core.native_libraries import import_keras

FLOAT32: Final = "float32"
BFLOAT16: Final = "mixed_bfloat16"

_BFLOAT16_CAPABILITY: Final = (8, 0)
"""Compute capability from which NVIDIA GPUs have tensor cores for bfloat16. Older ones have float16, which needs loss
scaling; aslkit trains with float32 on them. Source: "Mixed precision", TensorFlow guide, 2024."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """A processor, and how it is used.

    Attributes:
        name: "CPU", or the name of the GPU.
        precision: Keras dtype policy of the hidden layers; weights are always float32.
        jit: whether steps are compiled with XLA. On CPUs, that was slower (ADR 20).
    """

    name: str = "CPU"
    precision: str = FLOAT32
    jit: bool = False

    def __str__(self) -> str:
        """Name and precision, such as "NVIDIA H100, mixed_bfloat16"."""
        return self.name if self.precision == FLOAT32 else f"{self.name}, {self.precision}"


CPU: Final = Device()


def prepare_device(local_rank: int = 0) -> Device:
    """Reserve a GPU for this process, if there is one, and return how to use it.

    Must be called before the first operation of TensorFlow; later it changes nothing.

    Args:
        local_rank: number of this process among those of this machine. Each gets a GPU of its own; with more processes
            than GPUs, they share them.
    """
    import_keras(exact=False)
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return CPU
    gpu = gpus[local_rank % len(gpus)]
    with suppress(RuntimeError):  # raised after the first operation
        tf.config.set_visible_devices([gpu], "GPU")
        # Without this, the first process takes all memory of the GPU.
        tf.config.experimental.set_memory_growth(gpu, True)
    details = tf.config.experimental.get_device_details(gpu)
    modern = details.get("compute_capability", (0, 0)) >= _BFLOAT16_CAPABILITY
    return Device(name=details.get("device_name", "GPU"), precision=BFLOAT16 if modern else FLOAT32, jit=True)


def copy_with_precision(network: Any, precision: str) -> Any:
    """Return a copy of a network that computes with another precision, with the same float32 weights.

    Inputs are normalised, and probabilities computed and combined, in float32. Source: "Mixed precision", TensorFlow
    guide, 2024.

    Args:
        network: keras.Model.
        precision: Keras dtype policy, such as "mixed_bfloat16".
    """
    keras = import_keras(exact=False)

    exact = (keras.layers.Normalization, keras.layers.Reshape, keras.layers.Concatenate)

    def clone(layer: Any) -> Any:
        is_output = getattr(layer, "activation", None) is keras.activations.softmax
        changed = {} if is_output or isinstance(layer, exact) else {"dtype": precision}
        return type(layer).from_config(layer.get_config() | changed)

    copy = keras.models.clone_model(network, clone_function=clone, recursive=True)
    set_weights(copy, network.get_weights())
    return copy


def set_weights(network: Any, weights: list[Any]) -> None:
    """Set the weights of a keras.Model, and the constants that its Normalization layers derive from them."""
    network.set_weights(weights)
    for layer in iter_layers(network):
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def iter_layers(model: Any) -> Iterator[Any]:
    """Yield the layers of a keras.Model and of the models nested in it."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from iter_layers(layer)
        else:
            yield layer


def limit_threads(count: int) -> None:
    """Let each operation of TensorFlow use `count` threads, and run one operation at a time.

    A small network trains as fast on one thread as on two, and the other core augments the next rows. With more
    threads than cores, they wait for each other. After the first operation in this process, the numbers are fixed.
    """
    import_keras(exact=False)  # before TensorFlow, to keep its messages off the terminal
    import tensorflow as tf

    with suppress(RuntimeError):  # raised after the first operation
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(1)
