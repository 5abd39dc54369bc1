"""The number of threads that TensorFlow uses."""

from contextlib import suppress

from aslkit.core.native_libraries import import_keras


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
