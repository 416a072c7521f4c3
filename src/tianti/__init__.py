"""tianti (天梯): an open LLM leaderboard that anyone can run."""

__version__ = "0.1.0"
