"""Training a recogniser and measuring it on people it has not seen."""
