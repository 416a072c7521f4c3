"""Runs the studies on real data at full size and writes what they gave to docs/reference/.

    python examples/run_all.py [--data DATA] [--small]

About an hour on two cores; what is finished is found and not run again. `--small` shows the whole path
in a minute or two: a few samples of each task, a few examples to learn from and to validate on, and no page.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

from adaptations_page import write_table
from checks import all_checks
from prepare import DATA, HERE, WORK, prepare
from real_data_page import write_page
from rich.console import Console

import tianti
from tianti.adapt import HeadOnly, label, parse_adaptation
from tianti.adapt.options import Training
from tianti.board.terminal import render
from tianti.cli.progress import TerminalProgress
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
    "multi30k",
    "tatoeba",
    "written-texts",
    "gsm8k",
)
PAGE = HERE.parent / "docs" / "reference" / "real-data.md"
ADAPTATIONS = HERE.parent / "docs" / "reference" / "adaptations.md"
SMALL_LIMIT = 8
SMALL_EXAMPLES, SMALL_LENGTH = 32, 128
SMALL_ROWS = 100
"""Of each split to learn from or validate on: else most of the time goes into validating and into baselines."""


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
    write_table(ADAPTATIONS, store, "sst2")
    print(f"wrote {PAGE} and the table of {ADAPTATIONS}")
    failed = [check for check in checks if not check.good]
    for check in failed:
        print(f"not as it should be: {check.what}: expected {check.expected}, found {check.found}")
    sys.exit(1 if failed else 0)


def run_studies(folder: Path, store: Path, *, small: bool) -> None:
    """Run the studies of `folder` into `store`, showing progress and each board."""
    console = Console()
    if small:
        folder = few_rows(folder, folder / "work" / "small")
    for name in STUDIES:
        study = read_study(folder / f"{name}.yaml")
        board = tianti.run(shrunk(study) if small else study, store=store, progress=TerminalProgress())
        console.rule(name)
        console.print(render(board))


def few_rows(folder: Path, target: Path) -> Path:
    """A copy of the studies of `folder` whose splits to learn from and validate on end early; all else is linked."""
    shutil.rmtree(target, ignore_errors=True)
    (target / "work").mkdir(parents=True)
    for study in folder.glob("*.yaml"):
        shutil.copy(study, target)
    shutil.copytree(folder / "tasks", target / "tasks")
    for path in (folder / "work").iterdir():
        copied = target / "work" / path.name
        if path.suffix == ".jsonl" and path.stem.endswith(("_train", "_validation")):
            with path.open(encoding="utf-8") as rows:
                copied.write_text("".join(islice(rows, SMALL_ROWS)), encoding="utf-8")
        elif path != target:
            copied.symlink_to(path)
    return target


def shrunk(study: Study) -> Study:
    """The same study on a few samples, trained on a few examples."""
    cheap = [_cheap(each) for each in study.adaptations]
    return study_of(
        **(study.model_dump() | {"limit": SMALL_LIMIT, "adaptations": cheap, "seeds": study.seeds[:1]})
    )


def _cheap(text: str) -> str:
    """The adaptation with one epoch over a few short examples, where it trains."""
    adaptation = parse_adaptation(text)
    if not isinstance(adaptation, Training | HeadOnly):
        return text
    few = replace(adaptation, max_examples=SMALL_EXAMPLES, max_length=SMALL_LENGTH)
    return label(replace(few, epochs=1) if isinstance(few, Training) else few)


if __name__ == "__main__":
    main(sys.argv[1:])
