"""④ The life of any job, whatever its task."""
