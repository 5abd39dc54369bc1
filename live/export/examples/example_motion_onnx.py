"""Recognise J and Z in a video: python example_motion.py video.mp4. Requires aslkit and onnxruntime."""

import json
import sys
from pathlib import Path

import onnxruntime

from aslkit.video.video_file import open_video
from aslkit.vision.hand_landmarker import HandLandmarker
from aslkit.vision.motion.contract import MotionContract
from aslkit.vision.motion.reader import MotionReader

model = onnxruntime.InferenceSession(Path(__file__).with_name("motion.onnx"))
contract = MotionContract(**json.loads(model.get_modelmeta().custom_metadata_map["preprocess"])["motion"])
reader = MotionReader(lambda inputs: model.run(["probabilities"], {"input": inputs})[0], contract)
landmarker = HandLandmarker(tracking=True)
with open_video(Path(sys.argv[1]), start_s=0, end_s=None, on_note=print) as frames:
    for frame in frames:
        time_s, (height, width) = frame.time_s or 0.0, frame.image.shape[:2]
        if drawn := reader.observe(time_s, landmarker.find(frame.image), width=width, height=height).letter:
            print(f"{time_s:.2f} s: {drawn.letter} {drawn.probability:.4f}")
