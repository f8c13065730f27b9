"""Speed and memory of training and of its parts: `make bench`."""
