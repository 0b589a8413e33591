"""From a prompt to what it asks for. Knows no place in the picture and no pixel."""
