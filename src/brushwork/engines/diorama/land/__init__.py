"""The land: its lie, what it is made of, its water, and what falls on it."""
