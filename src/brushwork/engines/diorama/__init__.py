"""The embedded painter: words → Scene → pixels. Procedural, deterministic, and never called AI."""
