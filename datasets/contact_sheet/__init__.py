"""`aslkit dataset show`: sample images per letter as one HTML or PNG sheet."""
