"""lm-eval's packaged tasks on real data, by lm-eval with its own HF backend and by us: the same prompts and numbers."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest

from tianti.engine import (
    GenerateRequest,
    Response,
    RollingRequest,
    ScoreRequest,
    ScoreResponse,
)
from tianti.engine.causal import CausalBackend
from tianti.tasks.harness import HarnessTask, load_harness_tasks
from tianti.tasks.task import Grade, Question, Shots
from tiny import tiny_llama, tiny_tokenizer

pytestmark = pytest.mark.real_data
EXAMPLES = Path(__file__).parents[2] / "examples"
POSITIONS = 1024


@dataclass(frozen=True)
class Ours:
    questions: list[Question]
    responses: list[list[Response]]
    grades: list[Grade]
    scores: dict[str, float]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    from real_data_folder import REAL_DATA

    if not REAL_DATA.is_dir():
        pytest.skip("no real data beside this checkout (../shared/data)")
    folder = tmp_path_factory.mktemp("harness")
    script = _script("harness_data")
    script.write_tasks(REAL_DATA, folder)
    _add_stories(script, REAL_DATA / "tinystories_sample" / "tinystories_sample.txt", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", folder / "cache")
        yield folder


@pytest.fixture(autouse=True)
def _no_environment_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """lm-eval asks the whole machine for its versions after each run, which takes longer than the run."""
    monkeypatch.setattr("lm_eval.evaluator.add_env_info", lambda results: None)


@pytest.fixture(scope="module")
def model() -> tuple[Any, Any]:
    return tiny_llama(max_position_embeddings=POSITIONS), tiny_tokenizer()


@pytest.fixture(scope="module")
def stories260k(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """Real weights and their tokenizer; they were trained on 512 tokens, and their rotations go on behind them."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from real_data_folder import REAL_DATA

    source = REAL_DATA / "weights_stories260K"
    if not source.is_dir():
        pytest.skip("no real data beside this checkout (../shared/data)")
    pytest.importorskip("sentencepiece")
    converted = tmp_path_factory.mktemp("converted")
    _script("convert_llama2c").convert(source / "stories260K.bin", source / "tok512.model", converted)
    network = AutoModelForCausalLM.from_pretrained(converted).eval()
    network.config.max_position_embeddings = POSITIONS
    return network, AutoTokenizer.from_pretrained(converted)


def _script(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # Its dataclasses look their module up.
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def _add_stories(script: ModuleType, path: Path, folder: Path) -> None:
    """The ways of wikitext (detokenizer, own process_results) and LAMBADA (the last word) on other text."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pages = [{"page": "\n ".join(lines[start : start + 12])} for start in range(0, 120, 12)]
    changes = {"training_split": None, "validation_split": None}
    script.write_task(folder, "stories", "wikitext/wikitext.yaml", {"test": pages}, changes)
    passages = [{"text": line.rstrip(".!?\"' ")} for line in lines[200:400] if line.count(" ") > 20]
    script.write_task(folder, "last_words", "lambada/lambada_openai.yaml", {"test": passages}, {})


def ask_lm_eval(model: tuple[Any, Any], name: str, folder: Path, shots: int, limit: int) -> dict[str, Any]:
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    network, tokenizer = model
    results: dict[str, Any] = simple_evaluate(
        model=HFLM(pretrained=network, tokenizer=tokenizer, batch_size=4, max_length=POSITIONS),
        tasks=[name],
        task_manager=TaskManager(include_path=str(folder), include_defaults=False),
        num_fewshot=shots,
        limit=limit,
        bootstrap_iters=0,
    )
    return results


def ask_us(
    task: HarnessTask, model: tuple[Any, Any], shots: int, limit: int, batch: int | Literal["auto"] = 4
) -> Ours:
    backend = CausalBackend(*model, batch=batch)
    questions = list(task.questions(Shots(shots), backend.request_types, limit))
    answers = dict(backend.answer([request for question in questions for request in question.requests]))
    flat = iter(answers[index] for index in range(len(answers)))
    responses = [[next(flat) for _ in question.requests] for question in questions]
    grades = [task.grade(*pair) for pair in zip(questions, responses, strict=True)]
    scores = {
        metric.name: metric.aggregate([grade.values[metric.name] for grade in grades])
        for metric in task.metrics
    }
    return Ours(questions, responses, grades, scores)


def arguments(request: Any) -> tuple[Any, ...]:
    match request:
        case ScoreRequest(context, continuation):
            return context, continuation
        case RollingRequest(text):
            return (text,)
        case GenerateRequest(context, stop, max_tokens):
            return context, {"until": _without_eos(stop), "max_gen_toks": max_tokens}
    raise AssertionError(request)


def lm_eval_arguments(given: Sequence[Any]) -> tuple[Any, ...]:
    if isinstance(given[-1], dict):
        settings = given[-1]
        return given[0], {
            "until": _without_eos(settings["until"]),
            "max_gen_toks": settings.get("max_gen_toks", 256),
        }
    return tuple(given)


def _without_eos(stops: Sequence[str]) -> list[str]:
    """lm-eval adds the end-of-text token to the instance's own list while it generates."""
    return [stop for stop in stops if stop != tiny_tokenizer().eos_token]


def check_task(name: str, shots: int, limit: int, folder: Path, model: tuple[Any, Any]) -> Ours:
    """Equal scores (accuracies exactly), and per question equal prompts, answers and values; gives what we found."""
    (task,) = load_harness_tasks(name, [folder])
    theirs = ask_lm_eval(model, name, folder, shots, limit)
    ours = ask_us(task, model, shots, limit)
    for metric, score in ours.scores.items():
        bare, _, filter_name = metric.partition("@")
        expected = theirs["results"][name][f"{bare},{filter_name or 'none'}"]
        assert score == (expected if _decided(ours, metric) else pytest.approx(expected, rel=1e-5)), metric
    for sample in theirs["samples"][name]:
        question = ours.questions[sample["doc_id"]]
        assert question.sample_id == str(sample["doc_id"])
        assert [arguments(request) for request in question.requests] == [
            lm_eval_arguments(given) for given in sample["arguments"]
        ]
        _same_answers(ours.responses[sample["doc_id"]], sample["resps"])
        values = ours.grades[sample["doc_id"]].values
        for metric in sample["metrics"]:
            found = values[metric if sample["filter"] == "none" else f"{metric}@{sample['filter']}"]
            assert found == pytest.approx(sample[metric], abs=1e-3, rel=1e-5)
    return ours


@pytest.mark.parametrize(
    ("name", "shots", "limit"),
    [
        ("hellaswag_local", 0, 12),
        ("hellaswag_local", 2, 6),
        ("arc_easy_local", 3, 12),
        ("mmlu_anatomy_local", 5, 12),
        ("truthfulqa_mc2_local", 0, 6),
        ("stories", 0, 6),
        ("gsm8k_local", 5, 2),
        ("gsm8k_local", 0, 2),
    ],
)
def test_equals_lm_eval(name: str, shots: int, limit: int, folder: Path, model: tuple[Any, Any]) -> None:
    check_task(name, shots, limit, folder, model)


@pytest.mark.parametrize(
    ("name", "shots", "limit"),
    [
        ("mmlu_astronomy_local", 5, 6),
        ("hellaswag_local", 3, 4),
        ("arc_easy_local", 5, 5),
        ("last_words", 0, 40),
        ("last_words", 2, 10),
        ("stories", 0, 2),
        ("gsm8k_local", 5, 1),
    ],
)
def test_real_weights_equal_lm_eval(
    name: str, shots: int, limit: int, folder: Path, stories260k: tuple[Any, Any]
) -> None:
    ours = check_task(name, shots, limit, folder, stories260k)
    if name == "last_words" and shots == 0:
        # They know how stories go on: greedy flags of both kinds are compared.
        assert 0 < ours.scores["acc"] < 1


@pytest.mark.parametrize(
    ("name", "shots"),
    [("mmlu_anatomy_local", 5), ("hellaswag_local", 2), ("last_words", 0)],
)
def test_scores_do_not_depend_on_the_batch(
    name: str, shots: int, folder: Path, stories260k: tuple[Any, Any]
) -> None:
    (task,) = load_harness_tasks(name, [folder])
    found = [ask_us(task, stories260k, shots, 6, batch) for batch in (1, 3, "auto")]
    for other in found[1:]:
        for metric, score in found[0].scores.items():
            exact = _decided(found[0], metric)
            assert other.scores[metric] == (score if exact else pytest.approx(score, rel=1e-5)), metric
        for one, another in zip(found[0].responses, other.responses, strict=True):
            for first, second in zip(one, another, strict=True):
                assert isinstance(first, ScoreResponse)
                assert isinstance(second, ScoreResponse)
                assert first.logprob == pytest.approx(second.logprob, abs=1e-5, rel=1e-6)


def _decided(ours: Ours, metric: str) -> bool:
    """Whether each question is right or wrong, so that the score has no rounding."""
    return all(grade.values[metric] in (0, 1) for grade in ours.grades)


def _same_answers(responses: Sequence[Any], theirs: Sequence[Any]) -> None:
    assert len(responses) == len(theirs)
    for response, (their,) in zip(responses, theirs, strict=True):
        if isinstance(their, str):
            assert response.text == their
        elif isinstance(their, tuple | list):
            assert response.logprob == pytest.approx(their[0], abs=1e-4, rel=1e-6)
            assert response.is_greedy == their[1]
        else:
            assert response.logprob == pytest.approx(their, abs=1e-4, rel=1e-6)
