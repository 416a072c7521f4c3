"""Learning rates and strengths for the streams, compared on rows that are neither learned nor tested.

    python examples/continual/choose.py [--data DATA] [--what rates|strengths] [--method METHOD]

What is finished is found and not run again. Prints a table; what it chose stands in the studies beside this file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sets import HERE, write_sets

sys.path.insert(0, str(HERE.parent))

from prepare import DATA, WORK, sentence_encoder
from rich.console import Console

import tianti
from tianti.api import load_streams
from tianti.board.terminal_streams import render_streams
from tianti.cli.progress import TerminalProgress
from tianti.study import study_of

STREAM = ("agnews", "amazon", "sst2")
"""A shorter stream: the tasks of which something is learned from so few rows."""
SEED = 10
"""None of those that are measured."""
METHODS = {"full": "full(epochs=1, batch=8, lr={})", "lora": "lora(epochs=1, batch=8, lr={})"}
RATES = {"full": ("5e-5", "1e-4", "2e-4"), "lora": ("5e-4", "1e-3", "2e-3")}
CHOSEN = {"full": "1e-4", "lora": "1e-3"}
"""The rates of the studies: the strengths are compared with these."""
STRENGTHS = {
    "l2(to=last, strength={})": ("0.01", "0.1", "1.0"),
    "ewc(strength={})": ("100.0", "1000.0", "10000.0"),
    "si(strength={})": ("1.0", "30.0"),
    "lwf(strength={})": ("1.0", "3.0"),
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of real data")
    parser.add_argument("--what", choices=("rates", "strengths"), help="these alone")
    parser.add_argument("--method", choices=tuple(METHODS), help="this method alone")
    given = parser.parse_args(arguments)
    if not given.data.is_dir():
        sys.exit(f"no real data in {given.data}; name its folder with --data")
    write_sets(given.data / "continual_olora", WORK / "stream")
    sentence_encoder(WORK)
    tasks = [str(asks_choosing_rows(name)) for name in STREAM]
    strategies = [name.format(value) for name, values in STRENGTHS.items() for value in values]
    for method, adaptation in METHODS.items():
        if given.method in (None, method):
            if given.what in (None, "rates"):
                rates = [adaptation.format(rate) for rate in RATES[method]]
                compare(f"rates-{method}", rates, ["plain"], tasks)
            if given.what in (None, "strengths"):
                chosen = adaptation.format(CHOSEN[method])
                compare(f"strengths-{method}", [chosen], ["plain", *strategies], tasks)


def asks_choosing_rows(name: str) -> Path:
    """A copy of a task file that asks the rows for choosing in place of those for testing."""
    text = (HERE / "tasks" / f"{name}.yaml").read_text(encoding="utf-8")
    text = text.replace(f"{name}_test.jsonl", f"{name}_choosing.jsonl").replace("../../work", str(WORK))
    path = WORK / "stream" / f"choosing-{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def compare(name: str, methods: list[str], strategies: list[str], tasks: list[str]) -> None:
    """Run them over the stream and print their figures."""
    store = WORK / "store-choosing"
    study = study_of(
        study=name,
        models=[str(WORK / "all-minilm-l6-v2")],
        adaptations=methods,
        stream=tasks,
        strategies=strategies,
        seeds=[SEED],
        workers=1,
    )
    tianti.run(study, store=store, progress=TerminalProgress())
    Console(width=160).print(render_streams(load_streams(store, name)))


if __name__ == "__main__":
    main(sys.argv[1:])
