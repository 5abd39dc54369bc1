"""What each part of the studio does, without HTTP: people, recording, review, training, reading, sharing."""
