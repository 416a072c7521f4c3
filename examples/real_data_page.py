"""Writes docs/reference/real-data.md from the results of the studies; every figure comes out of the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from checks import Check

from tianti.evaluation.score import Score
from tianti.store import Run, Store

HEADER = """# Results on real data

This page is written by `make examples`, which runs the studies of `examples/` on real models and real data; the figures
in its tables come from the stored results. The data is not part of the project; `examples/prepare.py` says which files
it wants.

- `stories260k` is a real Llama of 260,032 parameters, trained on short stories by the author of llama2.c and converted
  by `examples/convert_llama2c.py`. It knows nothing of the world, so it stands near chance where knowledge is asked:
  these rows show that the whole path works, on the prompts of lm-evaluation-harness, and not what a good score is.
  It reads 512 tokens, and five solved examples are longer: they are cut off from the left, as lm-evaluation-harness
  does.
- `all-minilm-l6-v2` is a real sentence encoder of 22.7 million parameters. It learns the sentiment of film reviews
  (SST-2) from 2,000 sentences, a tenth of which choose among epochs and penalties, and is asked the 872 sentences of
  GLUE's development set. It also learns, by heads on tokens and on pairs, the names in WNUT 2017, the relations of
  SemEval-2010 task 8, and on a small share of the data the spans of SQuAD, the pairs of RTE and the questions of ARC;
  two baselines stand beside it.
"""

PERPLEXITY = """
Both folders of stories260K hold the same weights. The tokenizer of `stories260k` puts the begin token before each text,
as Llama's do. Whole texts are then scored as lm-evaluation-harness scores them: another begin token stands before the
text, and the model is asked to predict the tokenizer's one, which no story has. `stories260k-no-begin` leaves the begin
token to the engine; its loss is the one to compare with llama2.c's.
"""


def write_page(page: Path, store: Path, studies: Sequence[str], checks: Sequence[Check]) -> None:
    """Write the page from the finished runs of `studies` in `store`."""
    with Store(store) as opened:
        results = [
            (name, run, opened.scores(run.run_id))
            for name in studies
            for run in opened.runs(name)
            if run.state == "finished"
        ]
    parts = [
        HEADER,
        "## Checks\n",
        table(("what", "expected", "found", ""), map(check_row, checks)),
        "## Scores\n",
        table(
            (
                "task",
                "metric",
                "model",
                "adaptation",
                "score",
                "95 % interval",
                "chance",
                "n",
                "skipped",
                "seconds",
            ),
            (row for _, run, scores in results for row in score_rows(run, scores)),
        ),
        PERPLEXITY,
        "## How to repeat it\n",
        "`make examples` runs all of it. The seconds are wall time, with whatever else the machine did then, on\n"
        f"{machine([run for _, run, _ in results])}.\n",
        table(("study", "command", "seconds"), study_rows(studies, results)),
    ]
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join(part.strip("\n") + "\n" for part in parts), encoding="utf-8")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def check_row(check: Check) -> Sequence[str]:
    return check.what, check.expected, check.found, "yes" if check.good else "**no**"


def score_rows(run: Run, scores: Sequence[Score]) -> Iterator[Sequence[str]]:
    """One row a metric; what belongs to the run stands in the first."""
    manifest = run.manifest
    adaptation = manifest["adaptation"]["label"]
    for number, score in enumerate(scores):
        yield (
            manifest["task"]["name"].removeprefix("harness:").removesuffix("_local"),
            score.metric,
            manifest["model"]["name"],
            adaptation,
            figure(score.value),
            f"{figure(score.low)} – {figure(score.high)}",
            figure(score.chance),
            str(score.n),
            str(score.skipped + score.errors),
            f"{seconds(run):.0f}" if number == 0 else "",
        )


def study_rows(
    studies: Sequence[str], results: Sequence[tuple[str, Run, Sequence[Score]]]
) -> Iterator[Sequence[str]]:
    for name in studies:
        spent = sum(seconds(run) for study, run, _ in results if study == name)
        yield name, f"`tianti run examples/{name}.yaml`", f"{spent:.0f}"


def seconds(run: Run) -> float:
    """Adapting and evaluating, without bringing the model into memory."""
    return float(run.cost["adaptation_seconds"] + run.cost["evaluation_seconds"])


def figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def machine(runs: Sequence[Run]) -> str:
    """Processors, memory and versions, as the runs recorded them."""
    seen = list(dict.fromkeys(describe(run.environment) for run in runs))
    return "; and ".join(seen)


def describe(environment: Any) -> str:
    versions = environment["versions"]
    packages = ", ".join(f"{name} {versions[name]}" for name in ("torch", "transformers", "peft", "lm_eval"))
    accelerators = "".join(f", {name}" for name in environment.get("accelerators", ()))
    return (
        f"{environment['cores']} cores of {environment['processor']}{accelerators}, "
        f"{environment['memory_bytes'] / 2**30:.0f} GiB of memory, Python {versions['python']}, {packages}"
    )
