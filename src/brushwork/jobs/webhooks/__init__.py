"""Telling others what happened: written with the change itself, sent afterwards, again and again until it is taken."""
