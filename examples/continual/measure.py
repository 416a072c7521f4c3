"""Runs the streams of real tasks and writes their table to docs/reference/continual.md.

    python examples/continual/measure.py [--data DATA] [--small]

Many hours on two cores: what is finished is found and not run again. `--small` takes a few examples, one seed and one
method through the same way in some minutes, and writes no page.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from prepare import DATA, WORK, sentence_encoder  # noqa: E402
from real_data_page import table  # noqa: E402
from rich.console import Console  # noqa: E402
from structure_data import rte as pairs  # noqa: E402

import tianti  # noqa: E402
from tianti.api import load_streams  # noqa: E402
from tianti.board.streams import Stream  # noqa: E402
from tianti.board.terminal_streams import interval_text, render_streams, size_text  # noqa: E402
from tianti.cli.progress import TerminalProgress  # noqa: E402
from tianti.study import Study, read_study, study_of  # noqa: E402

STUDIES = ("news-first", "films-first")
PAGE = HERE.parents[1] / "docs" / "reference" / "continual.md"
BEGIN, END = "<!-- measured by examples/continual/measure.py -->", "<!-- end of what was measured -->"
SETS = {
    "agnews": "TC/agnews",
    "amazon": "SC/amazon",
    "sst2": "SC/SST-2",
    "mnli": "NLI/MNLI",
    "rte": "NLI/RTE",
}
"""Where each task lies in the stream of Wang et al. 2023 (O-LoRA)."""
UNDECIDED = "-"
"""The label of MNLI's rows on which its annotators did not agree: they are left out."""
HEAD = (
    "method", "strategy", "average", "backward", "forward", "forgets (first)", "forgets (best)", "less than plain",
    "learning", "seconds", "memory MB", "kept MB",
)  # fmt: skip


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of real data")
    parser.add_argument("--small", action="store_true", help="a few examples of each task; writes no page")
    given = parser.parse_args(arguments)
    if not given.data.is_dir():
        sys.exit(f"no real data in {given.data}; name its folder with --data")
    WORK.mkdir(parents=True, exist_ok=True)
    write_sets(given.data / "continual_olora", WORK / "stream")
    sentence_encoder(WORK)
    store = WORK / ("store-stream-small" if given.small else "store-stream")
    for name in STUDIES:
        study = read_study(HERE / f"{name}.yaml")
        tianti.run(shrunk(study) if given.small else study, store=store, progress=TerminalProgress())
        Console().print(render_streams(load_streams(store, name)))
    if not given.small:
        write_tables(PAGE, store)


def write_sets(source: Path, work: Path) -> None:
    """Each split of each task as JSON lines; a label is its place in the set's own list of labels."""
    work.mkdir(parents=True, exist_ok=True)
    for name, folder in SETS.items():
        labels = json.loads((source / folder / "labels.json").read_text(encoding="utf-8"))
        for split in ("train", "test"):
            path = source / folder / f"{split}.json"
            if name in ("mnli", "rte"):
                rows = pairs(path, split)
            else:
                rows = [
                    {"id": f"{split}-{number}", **row, "sentence": row["sentence"].strip()}
                    for number, row in enumerate(json.loads(path.read_text(encoding="utf-8")))
                ]
            known = [row | {"label": labels.index(row["label"])} for row in rows if row["label"] != UNDECIDED]
            lines = (json.dumps(row, ensure_ascii=False) for row in known)
            (work / f"{name}_{split}.jsonl").write_text(
                "".join(f"{line}\n" for line in lines), encoding="utf-8"
            )


def shrunk(study: Study) -> Study:
    """The same study on a few samples, trained on a few examples, by one method with one seed."""
    cheap = ["lora(max_length=64, max_examples=16, epochs=1)"]
    changes = {"limit": 4, "adaptations": cheap, "seeds": study.seeds[:1]}
    return study_of(**(study.model_dump() | changes))


def write_tables(page: Path, store: Path) -> None:
    """Replace what stands between the marks of `page` by a table for each order."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    found = "\n".join(measured(load_streams(store, name)) for name in STUDIES)
    page.write_text(f"{before}{BEGIN}\n\n{found}\n{END}{after}", encoding="utf-8")


def measured(streams: Sequence[Stream]) -> str:
    """The table of one order."""
    rows = [
        (
            stream.method,
            stream.strategy,
            *(
                interval_text(figure)
                for figure in (
                    stream.average, stream.backward, stream.forward, stream.forgetting_first, stream.forgetting_best,
                    stream.less_forgotten, stream.learning,
                )
            ),
            f"{stream.training_seconds:,.0f}",
            size_text(stream.peak_memory_bytes),
            size_text(stream.kept_bytes),
        )
        for stream in streams
    ]  # fmt: skip
    order = " → ".join(streams[0].tasks)
    seeds = len(streams[0].seeds)
    return f"**{order}**, {streams[0].model}, {seeds} seeds:\n\n{table(HEAD, rows)}"


if __name__ == "__main__":
    main(sys.argv[1:])
