"""Ask as many samples as it takes: in one random order for all entries, until the ranking is decided."""
