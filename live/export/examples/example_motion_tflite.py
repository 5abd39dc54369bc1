"""Recognise J and Z in a video: python example_motion.py video.mp4. Requires aslkit and tensorflow."""

import json
import sys
import zipfile
from pathlib import Path

import tensorflow as tf

from aslkit.video.video_file import open_video
from aslkit.vision.hand_landmarker import HandLandmarker
from aslkit.vision.motion.contract import MotionContract
from aslkit.vision.motion.reader import MotionReader

file = Path(__file__).with_name("motion.tflite")
contract = MotionContract(**json.loads(zipfile.ZipFile(file).read("preprocess.json"))["motion"])
predict = tf.lite.Interpreter(str(file)).get_signature_runner()
reader = MotionReader(lambda inputs: predict(input=inputs)["probabilities"], contract)
landmarker = HandLandmarker(tracking=True)
with open_video(Path(sys.argv[1]), start_s=0, end_s=None, on_note=print) as frames:
    for frame in frames:
        time_s, (height, width) = frame.time_s or 0.0, frame.image.shape[:2]
        if drawn := reader.observe(time_s, landmarker.find(frame.image), width=width, height=height).letter:
            print(f"{time_s:.2f} s: {drawn.letter} {drawn.probability:.4f}")
