"""Light, and everything that is above the land or beyond it."""
