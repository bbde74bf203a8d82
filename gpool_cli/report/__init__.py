"""FOR PEOPLE: the summary table, progress, and lines of error."""
