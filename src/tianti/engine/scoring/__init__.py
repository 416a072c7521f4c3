"""Ways of computing log-probabilities."""
