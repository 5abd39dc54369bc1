"""Live recognition: from camera frames to letters and text. Also exams and exports of trained models."""
