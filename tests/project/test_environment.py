"""The locked versions work together, which a resolver cannot check.

Horovod with TensorFlow: tests/train/benchmark/test_distributed.py. MediaPipe with TensorFlow: test_end_to_end.py.
"""

import os
import subprocess
import sys

import numpy as np
import pytest


def _run(code: str) -> str:
    """Run code in a new process, because Spark, Horovod and MediaPipe leave threads and settings behind."""
    here = os.environ | {"PYSPARK_PYTHON": sys.executable}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240, env=here)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_onnx_works_with_mediapipe() -> None:
    """Newer releases of onnx prefer a newer protobuf, which breaks MediaPipe."""
    out = _run(
        "import onnx, onnxruntime, google.protobuf, numpy as np\n"
        "from aslkit.vision.hand_landmarker import HandLandmarker\n"
        "print(HandLandmarker().find(np.zeros((64, 64, 3), np.uint8)), google.protobuf.__version__[:5])\n"
    )
    assert out.strip() == "None 4.25."


@pytest.mark.parametrize("name", ["opencv-contrib-python", "opencv-python-headless", "jax", "sounddevice"])
def test_overridden_packages_are_not_installed(name: str) -> None:
    from importlib.metadata import PackageNotFoundError, version

    with pytest.raises(PackageNotFoundError):
        version(name)


def test_albumentations_imports_without_the_network() -> None:
    out = _run(
        "import os; os.environ['NO_ALBUMENTATIONS_UPDATE'] = '1'\n"
        "import numpy as np, albumentations as A\n"
        "print(A.HorizontalFlip(p=1)(image=np.arange(12, dtype=np.uint8).reshape(2, 2, 3))['image'].ravel().tolist())\n"
    )
    expected = np.arange(12).reshape(2, 2, 3)[:, ::-1].ravel().tolist()
    assert out.strip() == str(expected)
