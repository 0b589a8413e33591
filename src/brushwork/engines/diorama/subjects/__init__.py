"""The things a prompt names: their artwork, and how it comes to stand in a painted world."""
