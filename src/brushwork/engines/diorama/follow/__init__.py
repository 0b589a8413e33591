"""What follows a picture: variations, extensions, repainting, blends, other materials, larger sizes, references."""
