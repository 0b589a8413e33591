"""What grows or lies on the land: drawn leaf by leaf, dressed by season, planted over the world."""
