"""Small files as other programs write them, one of every age and format."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

BARE = {
    "lambada_openai": {
        "acc,none": 0.5,
        "acc_stderr,none": 0.1,
        "perplexity,none": 4.8,
        "alias": "lambada_openai",
    }
}
OLD = {
    "results": {"hellaswag": {"acc": 0.4, "acc_stderr": 0.05, "acc_norm": 0.5, "acc_norm_stderr": 0.04}},
    "versions": {"hellaswag": 0},
    "config": {"model": "hf-causal", "model_args": "pretrained=org/old,dtype=auto", "num_fewshot": 10},
}
GROUPED = {
    "results": {
        "mmlu": {"acc,none": 0.6, "acc_stderr,none": 0.01, "alias": "mmlu"},
        "mmlu_law": {"acc,none": 0.5, "acc_stderr,none": 0.02, "alias": " - law"},
        "mmlu_art": {"acc,none": 0.7, "acc_stderr,none": 0.02, "alias": " - art"},
        "gsm8k": {"exact_match,strict-match": 0.3, "exact_match,flexible-extract": 0.4, "alias": "gsm8k"},
    },
    "group_subtasks": {"mmlu": ["mmlu_law", "mmlu_art"], "gsm8k": []},
    "versions": {"mmlu_law": 0.0, "mmlu_art": 0.0, "gsm8k": 3.0},
    "n-shot": {"mmlu": 0, "mmlu_law": 5, "mmlu_art": 5, "gsm8k": 5},
    "config": {"model": "hf", "model_args": "pretrained=org/grouped,dtype=auto"},
    "something_new": {"kept": True},
}
INDENTED = {
    "model": "/models/mine",
    "tasks": ["glue"],
    "num_fewshot": 0,
    "results": {
        "glue": {"acc,none": 0.5, "acc_stderr,none": 0.01, "alias": "glue"},
        "cola": {"mcc,none": 0.0, "mcc_stderr,none": 0.0, "alias": " - cola"},
    },
}
NEW = {
    "results": {"quiz": {"name": "quiz", "alias": "quiz", "sample_len": 4, "acc,none": 0.75, "acc_stderr,none": 0.25,
                         "macro_f1,none": 0.7, "macro_f1_stderr,none": "N/A"}},
    "higher_is_better": {"quiz": {"acc": True, "macro_f1": True}},
    "n-samples": {"quiz": {"original": 100, "effective": 4}},
    "n-shot": {"quiz": 0},
    "versions": {"quiz": 1},
    "config": {"model": "hf", "model_args": {"pretrained": "org/new", "peft": "org/adapter"}, "model_sha": "ab" * 20,
               "model_num_parameters": 7},
    "model_name": "org/new",
    "chat_template": "{{ messages }}",
}  # fmt: skip
SAMPLES = [
    {"doc_id": number, "doc": {"question": f"问 {number}"}, "target": "1", "arguments": {}, "resps": [["x"]],
     "filtered_resps": ["x"], "filter": "none", "metrics": ["acc", "macro_f1"], "doc_hash": "0", "acc": right,
     "macro_f1": [["a"], ["b"]], "something_new": "kept"}
    for number, right in enumerate([1.0, 1.0, 0.0, 1.0])
]  # fmt: skip
TIME = "2026-07-08T16-04-34.219874"
V1 = "\ufeffModel,Average,ARC (25-shot),HellaSwag (10-shot),Parameters\na/b,60,50,70,1\nc/d,50,40,60,\na/b,60,50,70,1\n"
V2 = (
    ",fullname,Precision,Model sha,Chat Template,#Params (B),IFEval Raw,IFEval,BBH Raw,BBH,Hub License,"
    "CO₂ cost (kg),Submission Date\n"
    "0,a/b,bfloat16,0123,True,7.2,0.5,50.0,0.6,30.0,mit,11.351698937,2024-06-12\n"
    "1,a/b,float16,0123,True,7.2,0.4,40.0,0.5,20.0,mit,,2025-02-01\n"
    "2,c/d,bfloat16,,False,-1,0.3,30.0,0.4,10.0,,,\n"
)
MTEB = (
    "model,revision,task,split,hf_subset,main_score,evaluation_time\n"
    "a__b,r1,STS,test,de,0.5,1\na__b,r1,STS,test,en,0.7,2\na__b,r1,NLI,test,default,-0.2,\nc__d,r1,STS,test,en,nan,\n"
)


def write_all(folder: Path) -> dict[str, Path]:
    """One file of each kind, by name; the samples beside their results."""
    files = {
        "bare": _json(folder / "org__bare" / "results.json", BARE),
        "old": _json(folder / "old.json", OLD),
        "grouped": _json(folder / "grouped.json", GROUPED),
        "indented": _json(folder / "indented.json", INDENTED),
        "new": _json(folder / f"results_{TIME}.json", NEW),
        "samples": _text(folder / f"samples_quiz_{TIME}.jsonl", "".join(json.dumps(s) + "\n" for s in SAMPLES)),
        "list": _json(
            folder / "org__listed" / "quiz.jsonl",
            [{name: value for name, value in sample.items() if name != "metrics"} for sample in SAMPLES],
        ),
        "write-out": _json(
            folder / "org__written" / "quiz_write_out_info.json",
            [{"doc_id": 0, "prompt_0": "?", "logit_0": -1.5, "truth": 0, "acc": "True", "acc_norm": "0.0"}],
        ),
        "v1": _text(folder / "20230523.csv", V1),
        "v2": _text(folder / "v2.csv", V2),
        "mteb": _text(folder / "mteb.csv", MTEB),
        "livebench": folder / "livebench.parquet",
    }  # fmt: skip
    rows = [("q1", "math", "m1", 1.0), ("q2", "math", "m1", 0.0), ("q2", "math", "m1", 1.0), ("q1", "math", "m2", 0.25),
            ("q2", "math", "m2", 0.0)]  # fmt: skip
    names = ("question_id", "task", "model", "score")
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    parquet.write_table(pa.table({**columns, "category": ["x"] * len(rows)}), files["livebench"])
    return files


def _text(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _json(path: Path, content: object) -> Path:
    return _text(path, json.dumps(content, indent=1))
