"""Writes a task of ours as a task of lm-evaluation-harness that gives the same numbers there.

The folder gets three kinds of files: NAME.yaml (prompt, metrics), NAME_SPLIT.jsonl (the samples, with their texts
rendered) and NAME.py (reads the data from beside itself, so that the folder can be moved; metrics that lm-eval lacks).
lm-eval runs it with `--include_path FOLDER --tasks NAME`, and needs nothing of tianti for it.

Shots are the first k of their split (our `selection: first`). One thing lm-eval cannot do: where a question's own text
stands among those shots, ours leaves it out of its prompt.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from tianti.core.exceptions import TaskError
from tianti.tasks import metrics
from tianti.tasks.aspect_metrics import ASPECT_METRICS, BRIER
from tianti.tasks.export_grading import grade_answer, grade_translation, own_bleu
from tianti.tasks.kinds.kind import Sample
from tianti.tasks.task import Task
from tianti.tasks.task_file import TaskFile
from tianti.tasks.translation_metrics import BLEU
from tianti.tasks.yaml_task import YamlTask

_CHOOSING = ("classification", "multiple-choice")
_ANSWERING = "question-answering"
_MODELLING = "language-modelling"
_TRANSLATION = "translation"
_SUMMARISATION = "summarisation"
_WRITABLE = (*_CHOOSING, _ANSWERING, _MODELLING, _TRANSLATION)

_IMPORTS = (
    "from __future__ import annotations",
    "import json",
    "from pathlib import Path",
    "from datasets import Dataset",
)
_LOAD = '''
def load(**_):
    """The samples of each split, from the files beside this one."""
    files = Path(__file__).parent.glob(f"{Path(__file__).stem}_*.jsonl")
    return {file.stem.removeprefix(f"{Path(__file__).stem}_"): _read(file) for file in files}


def _read(file):
    with file.open(encoding="utf-8") as lines:
        return Dataset.from_list([json.loads(line) for line in lines])
'''


def export_harness(task: Task, folder: Path) -> Path:
    """Write `task` into `folder`; gives the path of its YAML file.

    Raises:
        TaskError: the task is not one of ours, or its kind has no counterpart in lm-eval.
    """
    if not isinstance(task, YamlTask):
        raise TaskError(f"{task.info.name} is not a task of tianti's own: lm-eval has it already")
    if task.file.kind not in _WRITABLE:
        reason = "has no counterpart of"
        if task.file.kind == _SUMMARISATION:
            reason = "has no ROUGE of its own, and ours cannot be written out yet, for"
        raise TaskError(
            f"{task.name}: lm-eval {reason} the kind {task.file.kind}",
            remedy=f"kinds that can be written: {', '.join(_WRITABLE)}",
        )
    for key in ("thinking", "repeats", "perturbations", "option_order", "counterfactual", "group"):
        if getattr(task.file, key) != TaskFile.model_fields[key].default:
            raise TaskError(
                f"{task.name}: lm-eval has no counterpart of the key {key!r}",
                remedy="write a task without it, and export that",
            )
    name = re.sub(r"\W+", "_", task.name, flags=re.ASCII).strip("_")
    folder.mkdir(parents=True, exist_ok=True)
    for split in _splits(task):
        rows = [_row(task, sample) for sample in task.samples(split)]
        _write(folder / f"{name}_{split}.jsonl", "".join(_json_line(row) for row in rows))
    _write(folder / f"{name}.py", _code(task))
    path = folder / f"{name}.yaml"
    _write(path, yaml.dump(_settings(task, name), Dumper=_Dumper, sort_keys=False, allow_unicode=True))
    return path


class _Function(str):
    """A `!function` tag of lm-eval's YAML."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Function, lambda dumper, text: dumper.represent_scalar("!function", str(text)))


def _splits(task: YamlTask) -> list[str]:
    wanted = {task.split, "train", "validation", task.file.fewshot_split}
    return [split for split in task.file.splits if split in wanted]


def _row(task: YamlTask, sample: Sample) -> dict[str, Any]:
    row: dict[str, Any] = {"id": sample.id, "description": sample.description, "text": sample.text}
    if task.file.kind in _CHOOSING:
        return row | {"choices": list(sample.form.choices), "label": sample.form.label}
    return row | {"answers": list(sample.form.targets)}


def _settings(task: YamlTask, name: str) -> dict[str, Any]:
    """The content of the YAML file; its texts are columns of the data, which lm-eval takes as they are."""
    file, splits = task.file, _splits(task)
    settings: dict[str, Any] = {
        "task": name,
        "custom_dataset": _Function(f"{name}.load"),
        "training_split": "train" if "train" in splits and task.split != "train" else None,
        "validation_split": "validation" if "validation" in splits and task.split != "validation" else None,
        "test_split": task.split,
        "description": "description",
        "doc_to_text": "text",
    }
    if task.kind.takes_shots:
        settings |= {
            "fewshot_split": file.fewshot_split if file.fewshot_split in splits else None,
            "fewshot_config": {"sampler": "first_n"},
            "target_delimiter": file.target_delimiter,
            "fewshot_delimiter": file.fewshot_delimiter,
        }
    settings |= _form(task, name)
    settings["metric_list"] = [_metric(task, metric, name) for metric in file.metric_names]
    settings["metadata"] = {"version": task.info.version}
    return {key: value for key, value in settings.items() if value is not None}


def _form(task: YamlTask, name: str) -> dict[str, Any]:
    """How lm-eval asks, and where it finds the right answer."""
    if task.file.kind in _CHOOSING:
        return {"output_type": "multiple_choice", "doc_to_choice": "choices", "doc_to_target": "label"}
    if task.file.kind == _MODELLING:
        return {"output_type": "loglikelihood_rolling", "doc_to_text": "", "doc_to_target": "{{answers[0]}}"}
    generation = task.file.generation_kwargs.model_dump()
    if generation["until"] is None:
        generation["until"] = [task.file.fewshot_delimiter]
    if not generation["do_sample"]:
        del generation["top_p"]
    return {
        "output_type": "generate_until",
        "doc_to_target": "answers",
        "generation_kwargs": generation,
        "process_results": _Function(f"{name}.grade"),
    }


def _metric(task: YamlTask, metric: str, name: str) -> dict[str, Any]:
    rule = task.kind.metrics[metric]
    if rule is BRIER:
        return {"metric": "brier_score", "aggregation": "brier_score", "higher_is_better": False}
    if rule in ASPECT_METRICS:
        raise TaskError(
            f"{task.name}: lm-eval has no counterpart of the metric {metric}",
            remedy="leave it out of metric_list, and export that",
        )
    own = rule.aggregation == "macro_f1" or (rule is BLEU and own_bleu(task))
    aggregation = _Function(f"{name}.{rule.aggregation}") if own else rule.aggregation
    return {"metric": metric, "aggregation": aggregation, "higher_is_better": rule.higher_is_better}


def _code(task: YamlTask) -> str:
    """The Python file: how the data is read, and our own metrics with all that they use."""
    names: tuple[str, ...] = ()
    imports, grade = list(_IMPORTS), ""
    if task.file.kind == _ANSWERING:
        names, grade = ("exact_match", "overlap_f1"), grade_answer(task)
    elif task.file.kind == _TRANSLATION:
        imports, grade = [*imports, "import sacrebleu"], grade_translation(task)
    elif "f1" in task.file.metric_names:
        names = ("macro_f1",)
    statements = _used(metrics, names)
    definitions = [ast.unparse(statement) for statement in statements if not _is_import(statement)]
    imports += (ast.unparse(statement) for statement in statements if _is_import(statement))
    head = f'"""Data and metrics of {task.name} for lm-evaluation-harness."""\n\n' + "\n".join(imports)
    return "\n\n\n".join(part for part in (head, *definitions, _LOAD.strip(), grade.strip()) if part) + "\n"


def _used(module: ModuleType, names: Iterable[str]) -> list[ast.stmt]:
    """What defines these names in a module, and everything there that it uses in turn, in the module's order."""
    statements = ast.parse(inspect.getsource(module)).body
    definitions = {name: statement for statement in statements for name in _defined(statement)}
    wanted: dict[str, ast.stmt] = {}
    pending = list(names)
    while pending:
        name = pending.pop()
        if name in definitions and name not in wanted:
            wanted[name] = definitions[name]
            pending += [node.id for node in ast.walk(definitions[name]) if isinstance(node, ast.Name)]
    kept = {id(statement) for statement in wanted.values()}
    return [statement for statement in statements if id(statement) in kept]


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _defined(statement: ast.stmt) -> list[str]:
    """The names that a statement at the top of a module defines."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [alias.asname or alias.name for alias in names]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case _:
            return []


def _json_line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
