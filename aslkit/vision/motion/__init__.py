"""The movement of a hand: its landmarks over the last moments, the model input, and the letters that it draws."""
