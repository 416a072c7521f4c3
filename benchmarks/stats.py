"""The statistics at the size of a large board: simultaneous ranks, then ratings from a million battles.

    python benchmarks/stats.py [--quick]

Runs `benchmarks/ranks.py` and `benchmarks/battles.py`, each of which takes arguments of its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

PARTS = {"ranks": ["--max-t"], "battles": []}
"""The benchmarks and their arguments."""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, once: shows the whole path in seconds"
    )
    quick = ["--quick"] if parser.parse_args(arguments).quick else []
    for part, own in PARTS.items():
        print(f"\n{part}\n", flush=True)
        script = Path(__file__).with_name(f"{part}.py")
        ended = subprocess.run([sys.executable, str(script), *own, *quick], check=False)
        if ended.returncode:
            raise SystemExit(ended.returncode)


if __name__ == "__main__":
    main()
