"""File formats shared between stages: captures, frame index, recording plan, run folder."""
