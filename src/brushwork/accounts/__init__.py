"""Who asks and what it costs: keys, credits, plans."""
