"""aslkit: record fingerspelling images, build a shareable dataset, train, and measure on unseen people."""

__version__ = "0.1.0"
