"""Small learned tools beside the painter: each does one thing to any picture, on the CPU and offline."""
