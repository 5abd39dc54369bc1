"""Words: a lexicon with frequencies, and the likeliest word for letters that were read with some doubt."""
