"""How the models of one family are encoded, stepped and decoded; one file a family."""
