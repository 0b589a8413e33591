"""From what is asked for to a Scene: where everything stands and how large it is. Knows no colour."""
