"""Runs the studies on real data at full size and writes what they gave to docs/reference/real-data.md.

    python examples/run_all.py [--data DATA] [--small]

About a quarter of an hour on two cores; what is finished is found and not run again. `--small` shows the whole path
in a minute or two: a few samples of each task, a few training examples, and no page.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from checks import all_checks
from prepare import DATA, HERE, WORK, prepare
from real_data_page import write_page
from rich.console import Console

import tianti
from tianti.board.terminal import render
from tianti.cli.progress import TerminalProgress
from tianti.core.call import parse_call
from tianti.study import Study, read_study, study_of

STUDIES = (
    "stories260k-perplexity",
    "stories260k-zero-shot",
    "stories260k-five-shot",
    "sst2",
    "wnut17",
    "semeval2010",
    "reading",
    "pairs-and-choices",
)
PAGE = HERE.parent / "docs" / "reference" / "real-data.md"
SMALL_LIMIT = 8
SMALL_ADAPTATIONS = {
    "lora": "lora(epochs=1, max_examples=64, max_length=128)",
    "full": "full(epochs=1, max_examples=64, max_length=128)",
    "head-only": "head-only(max_examples=64, max_length=128)",
}
"""By the method."""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of real data")
    parser.add_argument("--small", action="store_true", help="a few samples of each task; writes no page")
    given = parser.parse_args(arguments)
    if not given.data.is_dir():
        sys.exit(f"no real data in {given.data}; name its folder with --data")
    prepare(given.data)
    store = WORK / ("store-small" if given.small else "store")
    run_studies(HERE, store, small=given.small)
    if given.small:
        return
    checks = all_checks(store, given.data, WORK)
    write_page(PAGE, store, STUDIES, checks)
    print(f"wrote {PAGE}")
    failed = [check for check in checks if not check.good]
    for check in failed:
        print(f"not as it should be: {check.what}: expected {check.expected}, found {check.found}")
    sys.exit(1 if failed else 0)


def run_studies(folder: Path, store: Path, *, small: bool) -> None:
    """Run the studies of `folder` into `store`, showing progress and each board."""
    console = Console()
    for name in STUDIES:
        study = read_study(folder / f"{name}.yaml")
        board = tianti.run(shrunk(study) if small else study, store=store, progress=TerminalProgress())
        console.rule(name)
        console.print(render(board))


def shrunk(study: Study) -> Study:
    """The same study on a few samples, trained on a few examples."""
    cheap = [SMALL_ADAPTATIONS.get(parse_call(each).name, each) for each in study.adaptations]
    return study_of(
        **(study.model_dump() | {"limit": SMALL_LIMIT, "adaptations": cheap, "seeds": study.seeds[:1]})
    )


if __name__ == "__main__":
    main(sys.argv[1:])
