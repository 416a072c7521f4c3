"""Ways of writing texts."""
