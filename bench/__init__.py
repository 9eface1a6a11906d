"""What the figures in README.md and in notes come from: `make bench`."""
