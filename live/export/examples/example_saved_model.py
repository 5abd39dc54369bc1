"""Recognise the letter in an image: python example.py hand.jpg. Requires aslkit and tensorflow."""

import json
import sys
from contextlib import chdir
from pathlib import Path

import tensorflow as tf

from aslkit.vision.hand_landmarker import HandLandmarker
from aslkit.vision.images import decode_image
from aslkit.vision.preprocess import PreprocessConfig, apply_temperature, model_input

folder = Path(__file__).with_name("model")
contract = PreprocessConfig(**json.loads((folder / "assets.extra" / "preprocess.json").read_text()))
frame = decode_image(Path(sys.argv[1]).read_bytes())
hand = HandLandmarker().find(frame) or sys.exit("no hand found")
with chdir(folder):  # because TensorFlow takes [ ] * ? in a path for a pattern
    model = tf.saved_model.load(".").signatures["serving_default"]
outputs = model(input=tf.constant(model_input(frame, hand, contract)[None]))["probabilities"].numpy()
scores = apply_temperature(outputs, contract.temperature)[0]  # calibrated probabilities
print(contract.letters[scores.argmax()] if scores.max() >= contract.threshold else "no letter", f"{scores.max():.4f}")
