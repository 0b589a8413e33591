"""The reference pages of `docs/`, each made from the code it describes. Nothing here depends on the machine."""
