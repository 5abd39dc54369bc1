"""File formats shared between stages: captures, frame index, recording plan, run folder, folders of labelled images."""
