"""⑥ Bytes: where they are kept, how they are linked, and how pictures become files."""
