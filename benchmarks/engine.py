"""Our engine beside lm-evaluation-harness's own backend and beside the limit, on the same network, in turn, in one run.

    python benchmarks/engine.py [--quick] [--models 34m-32k,...] [--only letters,...] [--markdown] [--json FILE]

BENCHMARKS.md says what each row means. The exit status is 1 when the two sides answer differently.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shlex
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from networks import MODELS, vocabulary_of

PARTS = ("letters", "text", "endings", "answers", "zero-shot", "linear", "memory")
MEMORY_SHAPES = ("letters", "text")
LINEAR_MODEL = "34m-2k"
LINEAR_QUESTIONS = (1000, 4000, 16000)
QUICK_MODELS = ("tiny-2k",)
QUICK_QUESTIONS = (50, 100, 200)


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    """The command line, read before anything heavy is imported: threads are set in the environment."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = lambda text: tuple(text.split(","))  # noqa: E731
    parser.add_argument("--models", type=names, help="layers-vocabulary: 34m or 125m, 32k or 150k")
    parser.add_argument("--only", type=names, default=PARTS, help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--repeat", type=int, help="runs of each side, of which the median counts (3)")
    parser.add_argument("--questions", type=int, help="questions of each shape, instead of its usual number")
    parser.add_argument("--rows", type=int, help="the harness's batch size, instead of searching its fastest")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16", "float16"))
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--peak-tflops", type=float, help="the device's peak for this type of number")
    parser.add_argument(
        "--quick", action="store_true", help="a smoke run: a tiny model, small shapes, run once"
    )
    parser.add_argument(
        "--markdown", action="store_true", help="print the tables of BENCHMARKS.md at the end"
    )
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    given = parser.parse_args(arguments)
    if unknown := set(given.only) - set(PARTS):
        parser.error(f"--only: no {', '.join(sorted(unknown))}; expected some of {', '.join(PARTS)}")
    for least_one in ("repeat", "questions", "rows", "threads"):
        if getattr(given, least_one) is not None and getattr(given, least_one) < 1:
            parser.error(f"--{least_one}: expected at least 1")
    given.repeat = given.repeat or (1 if given.quick else 3)
    given.models = given.models or (QUICK_MODELS if given.quick else MODELS)
    try:
        for model in given.models:
            vocabulary_of(model)
    except ValueError as error:
        parser.error(f"--models: {error}")
    return given


def main(arguments: list[str]) -> int:
    given = read_arguments(arguments)
    for name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = str(given.threads)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true" if given.threads > 1 else "false")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    logging.disable(logging.WARNING)
    warnings.filterwarnings("ignore")

    import torch
    from report import Results

    torch.set_num_threads(given.threads)
    results = Results(
        command=shlex.join(["python", "benchmarks/engine.py", *arguments]),
        dtype=given.dtype,
        device=given.device,
        repeat=given.repeat,
        peak=None if given.peak_tflops is None else given.peak_tflops * 1e12,
    )
    for model in given.models if set(given.only) - {"linear"} else ():
        run_model(model, given, results)
    if "linear" in given.only:
        run_growth(given, results)
    if given.markdown:
        print(results.as_markdown())
    if given.json:
        given.json.write_text(json.dumps(results.as_json(), indent=1) + "\n")
    if not results.agree:
        print("the two sides answer differently: see DISAGREE above", file=sys.stderr)
    return 0 if results.agree else 1


def run_model(model: str, given: argparse.Namespace, results: Any) -> None:
    """All shapes and the memory of one model."""
    from language import make_language
    from measure import make_shape, measure
    from networks import count_parameters, make_network
    from report import HEADINGS, row_cells
    from shapes import SHAPES

    language = make_language(vocabulary_of(model))
    network = make_network(model, given.dtype, given.device)
    results.models[model] = str(count_parameters(network))
    print(f"{model}: {results.models[model]}", flush=True)
    for name, usual in SHAPES.items():
        if name not in given.only:
            continue
        lengths = usual.small() if given.quick else usual
        if given.questions:
            lengths = replace(lengths, questions=given.questions)
        shape = make_shape(name, lengths, language, network)
        row = measure(model, shape, language.tokenizer, network, given.repeat, given.rows)
        results.rows.append(row)
        cells = zip(HEADINGS[2:], row_cells(row, results.peak)[2:], strict=True)
        print(f"{model} {name}: " + ", ".join(f"{what} {cell}" for what, cell in cells), flush=True)
    # Of the usual models those with the large vocabulary: logits are what takes memory.
    if "memory" in given.only and (given.quick or model.endswith("150k")):
        run_memory(model, given, results, language, network)


def run_memory(model: str, given: argparse.Namespace, results: Any, language: Any, network: Any) -> None:
    """The peak memory of both sides, the harness at the batch size that is its fastest."""
    from memory import Ask, peak_above_model
    from peers import fastest_rows
    from report import MEMORY, Memory, memory_cells
    from shapes import SHAPES, make_choices
    from work import count_work

    for name in MEMORY_SHAPES:
        known = [row.rows for row in results.rows if (row.model, row.shape) == (model, name)]
        if given.rows:
            known = [given.rows]
        if not known:
            shape = make_choices(name, SHAPES[name].small() if given.quick else SHAPES[name], language)
            known = [fastest_rows(network, language.tokenizer, shape, count_work(shape, language.tokenizer))]
        ask = Ask("ours", model, name, given.quick, given.dtype, given.device, given.threads, known[0])
        found = Memory(
            model, name, known[0], peak_above_model(ask), peak_above_model(replace(ask, side="harness"))
        )
        results.memory.append(found)
        cells = zip(MEMORY[2:], memory_cells(found)[2:], strict=True)
        print(f"{model} {name}, memory: " + ", ".join(f"{what} {cell}" for what, cell in cells), flush=True)


def run_growth(given: argparse.Namespace, results: Any) -> None:
    """Ever more short questions: the time has to grow as they do."""
    from language import make_language
    from measure import measure_growth
    from networks import make_network
    from report import GROWTH, growth_cells
    from shapes import LINEAR, make_choices

    model = QUICK_MODELS[0] if given.quick else LINEAR_MODEL
    language = make_language(vocabulary_of(model))
    network = make_network(model, given.dtype, given.device)
    for questions in QUICK_QUESTIONS if given.quick else LINEAR_QUESTIONS:
        shape = make_choices("linear", replace(LINEAR, questions=questions), language)
        growth = measure_growth(model, shape, language.tokenizer, network, given.repeat)
        results.growth.append(growth)
        (cells,) = growth_cells([growth])
        print("linear: " + ", ".join(f"{w} {c}" for w, c in zip(GROWTH, cells, strict=True)), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
