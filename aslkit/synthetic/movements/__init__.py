"""Movements of a synthetic hand: the letters J and Z, and movements that are no letter, as landmarks over time."""
