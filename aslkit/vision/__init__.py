"""One image in, numbers out: decoding, hand landmarks, crops, quality metrics, perceptual hashes, model input.

`preprocess` is the only definition of a model's input; training, live and exports all use it.
"""
