"""Tables, their history, and the one way to open a transaction."""
