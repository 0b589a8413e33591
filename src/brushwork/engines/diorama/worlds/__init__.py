"""Whole worlds without their subjects, one painter a kind of place."""
