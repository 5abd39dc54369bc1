"""Download Sign Language MNIST from Kaggle and convert its CSV files to a dataset."""
