"""The movement of a hand: its landmarks over the last second, and the model input computed from them."""
