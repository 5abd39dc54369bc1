"""Contact sheets: sample images of each letter on an HTML page, in a PNG image or in the terminal."""
