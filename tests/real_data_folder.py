"""Where real data lies beside the checkout."""

from pathlib import Path

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"
