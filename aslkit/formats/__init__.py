"""Files that one stage writes and another reads: captures, frame index, recording plan, run folder."""
