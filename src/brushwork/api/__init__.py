"""① HTTP: body in, view out, no decisions."""
