"""How a model is computed, beside its weights: what an operator may ask for, what a device can, what a recipe says."""
