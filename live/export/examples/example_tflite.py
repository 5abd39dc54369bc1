"""Recognise the letter in an image: python example.py hand.jpg. Requires aslkit and tensorflow."""

import json
import sys
import zipfile
from pathlib import Path

import tensorflow as tf

from aslkit.vision.hand_landmarker import HandLandmarker
from aslkit.vision.images import decode_image
from aslkit.vision.preprocess import PreprocessConfig, apply_temperature, model_input

file = Path(__file__).with_name("model.tflite")
contract = PreprocessConfig(**json.loads(zipfile.ZipFile(file).read("preprocess.json")))
frame = decode_image(Path(sys.argv[1]).read_bytes())
hand = HandLandmarker().find(frame) or sys.exit("no hand found")
kernels = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES  # not XNNPACK: see README.md
model = tf.lite.Interpreter(str(file), experimental_op_resolver_type=kernels)
outputs = model.get_signature_runner()(input=model_input(frame, hand, contract)[None])["probabilities"]
scores = apply_temperature(outputs, contract.temperature)[0]  # calibrated probabilities
print(contract.letters[scores.argmax()] if scores.max() >= contract.threshold else "no letter", f"{scores.max():.4f}")
