"""Pictures in motion: a clock for the world, a path for the camera, and the frames of a clip."""
