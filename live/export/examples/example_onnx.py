"""Recognise the letter in an image: python example.py hand.jpg. Requires aslkit and onnxruntime."""

import json
import sys
from pathlib import Path

import onnxruntime

from aslkit.vision.hand_landmarker import HandLandmarker
from aslkit.vision.images import decode_image
from aslkit.vision.preprocess import PreprocessConfig, apply_temperature, model_input

model = onnxruntime.InferenceSession(Path(__file__).with_name("model.onnx"))
contract = PreprocessConfig(**json.loads(model.get_modelmeta().custom_metadata_map["preprocess"]))
frame = decode_image(Path(sys.argv[1]).read_bytes())
hand = HandLandmarker().find(frame) or sys.exit("no hand found")
outputs = model.run(["probabilities"], {"input": model_input(frame, hand, contract)[None]})[0]
scores = apply_temperature(outputs, contract.temperature)[0]  # calibrated probabilities
print(contract.letters[scores.argmax()] if scores.max() >= contract.threshold else "no letter", f"{scores.max():.4f}")
