"""Tasks of ours, written out and run by lm-eval with its own HF backend: the same numbers, sample by sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from sacrebleu import corpus_bleu

from chats import chat_tokenizer
from text_tasks import write_all
from tianti.core.exceptions import TaskError
from tianti.engine import GenerateResponse, ScoreRequest
from tianti.engine.causal import CausalBackend
from tianti.models.chat import ChatTemplate
from tianti.tasks.chat import Chat
from tianti.tasks.export import export_harness
from tianti.tasks.task import Shots
from tianti.tasks.task_file.keys import MetricItem
from tianti.tasks.yaml_task import YamlTask
from tiny import tiny_llama, tiny_tokenizer

POSITIONS = 512
REVIEWS = [
    ("This film is wonderful, warm and funny.", "good"),
    ("This film is dull.", "bad"),
    ("Cold and much too long", "bad"),
    ("安娜 reads letters in the shop.", "good"),
    ("7", "bad"),
    ('Ben\'s "old" mill, by the river\nand the town', "mixed"),
    ("Warm bread!", "good"),
    ("Letters, letters, letters.", "mixed"),
]
TASKS: dict[str, str] = {
    "classification": """
        kind: classification
        doc_to_text: "Review: {{text}}\\nIt is"
        doc_to_target: label
        doc_to_choice: [good, bad, mixed]
        description: "Judge.\\n\\n"
        metric_list: [acc, f1, acc_norm, acc_bytes]
    """,
    "choice": """
        kind: multiple-choice
        doc_to_text: "{{text}}"
        doc_to_target: "{{0 if label == 'good' else 1}}"
        doc_to_choice: "{{[text[:9], label]}}"
        target_delimiter: ""
        fewshot_delimiter: "\\n###\\n"
        description: "About {{label}} things: "
    """,
    "answer": """
        kind: question-answering
        doc_to_text: "Q: {{text}}\\nA:"
        doc_to_target: "{{[label, 'the ' + label + '!']}}"
        generation_kwargs: {max_gen_toks: 12, until: ["\\n", "e"]}
    """,
    "answer_zh": """
        kind: question-answering
        language: zh
        doc_to_text: "{{text}}"
        doc_to_target: label
        generation_kwargs: {max_gen_toks: 8}
    """,
    "modelling": """
        kind: language-modelling
        doc_to_target: text
        metric_list: [bits_per_byte, byte_perplexity, word_perplexity]
    """,
    "translation": """
        kind: translation
        target_language: de
        doc_to_text: "English: {{text}}\\nGerman:"
        doc_to_target: "{{[text, 'a ' + label + ' film'] if label == 'good' else [text]}}"
        metric_list: [sentence_chrf, bleu, chrf, chrf++]
        generation_kwargs: {max_gen_toks: 12}
    """,
    "translation_zh": """
        kind: translation
        target_language: zh
        doc_to_text: "{{text}}"
        doc_to_target: label
        metric_list: [bleu, chrf]
        generation_kwargs: {max_gen_toks: 8}
    """,
}
SHOTS = [(name, k) for name in TASKS for k in (0, 3) if (name, k) != ("modelling", 3)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    for split, rows in (("train", REVIEWS[4:]), ("test", REVIEWS[:4])):
        (folder / f"{split}.jsonl").write_text(
            "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows),
            encoding="utf-8",
        )
    for name, text in TASKS.items():
        lines = "\n".join(line.strip() for line in text.strip().splitlines())
        (folder / f"{name}.yaml").write_text(
            f"task: mine/{name}\ndata: {{train: train.jsonl, test: test.jsonl}}\n{lines}\n", encoding="utf-8"
        )
        export_harness(YamlTask.from_path(folder / f"{name}.yaml"), folder / "out")
    return folder


@pytest.fixture(autouse=True)
def _no_environment_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """lm-eval asks the whole machine for its versions after each run, which takes longer than the run."""
    monkeypatch.setattr("lm_eval.evaluator.add_env_info", lambda results: None)


@pytest.fixture(scope="module")
def model() -> tuple[Any, Any]:
    return tiny_llama(max_position_embeddings=POSITIONS), tiny_tokenizer()


@pytest.mark.parametrize(("name", "k"), SHOTS)
def test_lm_eval_gives_the_same_numbers(name: str, k: int, folder: Path, model: tuple[Any, Any]) -> None:
    check_equal(name, Shots(k, "first"), folder, model)


@pytest.mark.parametrize("name", ["classification", "choice", "answer", "translation"])
@pytest.mark.parametrize(
    ("k", "multiturn", "system"), [(0, True, None), (3, True, "Be brief."), (3, False, "Be brief. ")]
)
def test_lm_eval_gives_the_same_numbers_in_a_chat(
    name: str, k: int, multiturn: bool, system: str | None, folder: Path, model: tuple[Any, Any]
) -> None:
    tokenizer = chat_tokenizer("turns")
    chat = Chat(ChatTemplate(tokenizer), system, multiturn)
    check_equal(name, Shots(k, "first", chat=chat), folder, (model[0], tokenizer))


def check_equal(name: str, shots: Shots, folder: Path, model: tuple[Any, Any]) -> None:
    """Equal prompts, answers and scores of our task and of lm-eval's, which was made of it."""
    theirs = _lm_eval(f"mine_{name}", shots, folder / "out", model)
    task = YamlTask.from_path(folder / f"{name}.yaml")
    backend = CausalBackend(*model)
    values = []
    for question, sample in zip(
        task.questions(shots, backend.request_types),
        theirs["samples"][f"mine_{name}"],
        strict=True,
    ):
        answers = dict(backend.answer(question.requests))
        responses = [answers[index] for index in range(len(answers))]
        if name != "modelling":
            assert question.prompt == sample["arguments"][0][0]
        for request, given in zip(question.requests, sample["arguments"], strict=True):
            if isinstance(request, ScoreRequest):
                assert (request.context, request.continuation) == given
        for response, (their,) in zip(responses, sample["resps"], strict=True):
            if isinstance(response, GenerateResponse):
                assert response.text == their
            else:
                logprob = their[0] if isinstance(their, tuple) else their
                assert response.logprob == pytest.approx(logprob, abs=1e-4)
        values.append(task.grade(question, responses).values)
    results = theirs["results"][f"mine_{name}"]
    for metric in task.metrics:
        score = metric.aggregate([value[metric.name] for value in values])
        assert score == pytest.approx(results[f"{metric.name},none"], rel=1e-5)


def _lm_eval(name: str, shots: Shots, include: Path, model: tuple[Any, Any]) -> dict[str, Any]:
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    network, tokenizer = model
    chat = shots.chat
    in_chat = {} if chat is None else {
        "apply_chat_template": True, "fewshot_as_multiturn": chat.multiturn, "system_instruction": chat.system,
    }  # fmt: skip
    results: dict[str, Any] = simple_evaluate(
        model=HFLM(pretrained=network, tokenizer=tokenizer, batch_size=2, max_length=POSITIONS),
        tasks=[name],
        task_manager=TaskManager(include_path=str(include), include_defaults=False),
        num_fewshot=shots.k,
        bootstrap_iters=0,
        **in_chat,
    )
    return results


@pytest.mark.parametrize("answer", ["good", "The good!", "goodness", "bad good", "", "最好"])
def test_the_written_metrics_are_ours(answer: str, folder: Path) -> None:
    """lm-eval's random model never answers right; here the written functions meet answers that are."""
    for name in ("answer", "answer_zh"):
        written: dict[str, Any] = {"__file__": str(folder / "out" / f"mine_{name}.py")}
        exec((folder / "out" / f"mine_{name}.py").read_text(encoding="utf-8"), written)
        task = YamlTask.from_path(folder / f"{name}.yaml")
        for question, row in zip(
            task.questions(Shots(), CausalBackend.request_types), written["load"]()["test"], strict=True
        ):
            assert task.grade(question, [GenerateResponse(answer)]).values == written["grade"](row, [answer])


@pytest.mark.parametrize(
    ("name", "tokenizer", "answers"),
    [
        (
            "translation",
            "13a",
            [" This film is warm, wonderful and funny.\n", "a dull film", "", "安娜 reads in the shop, and"],
        ),
        ("translation_zh", "zh", ["好的，good good", "bad", "很 good 的一天", "goodness"]),
    ],
)
def test_lm_eval_scores_translations_as_we_and_sacrebleu_do(
    name: str, tokenizer: str, answers: list[str], folder: Path
) -> None:
    """Samples with two references stand beside such with one, and Chinese is split into characters."""
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(folder / "out"), include_defaults=False)
    theirs = manager.load([f"mine_{name}"])["tasks"][f"mine_{name}"]
    documents = list(theirs.test_docs())
    graded = [
        theirs.process_results(*pair) for pair in zip(documents, [[text] for text in answers], strict=True)
    ]
    found = {metric: rule([each[metric] for each in graded]) for metric, rule in theirs.aggregation().items()}
    task = YamlTask.from_path(folder / f"{name}.yaml")
    ours = write_all(task, answers)
    assert found == {
        metric.name: pytest.approx(metric.aggregate(ours[metric.name]), abs=1e-9) for metric in task.metrics
    }
    padded = [(document["answers"] + [None])[:2] for document in documents]
    references = [list(each) for each in zip(*padded, strict=True)]
    expected = corpus_bleu([text.strip() for text in answers], references, tokenize=tokenizer).score
    assert found["bleu"] == pytest.approx(expected, abs=1e-9)
    assert expected > 5


def test_the_aggregation_of_lm_eval_serves_where_it_splits_words_as_we_do(folder: Path) -> None:
    for name, aggregation in (("translation", "bleu"), ("translation_zh", "mine_translation_zh.bleu")):
        text = (folder / "out" / f"mine_{name}.yaml").read_text(encoding="utf-8")
        written = yaml.load(text.replace("!function ", ""), yaml.SafeLoader)
        rules = {each["metric"]: each["aggregation"] for each in written["metric_list"]}
        assert rules["bleu"] == aggregation
        assert rules["chrf"] == "chrf"


def test_the_written_code_needs_nothing_of_ours(folder: Path) -> None:
    for path in sorted((folder / "out").glob("*.py")):
        assert "tianti" not in path.read_text(encoding="utf-8")


def test_no_path_of_this_machine_is_written(folder: Path) -> None:
    for path in (folder / "out").iterdir():
        assert str(folder) not in path.read_text(encoding="utf-8")


def test_a_generated_task(tmp_path: Path) -> None:
    from tianti.tasks import load_tasks

    (task,) = load_tasks("nano/sentiment(split=fresh)")
    path = export_harness(task, tmp_path)
    assert path.name == "nano_sentiment_split_fresh.yaml"
    written = yaml.load(path.read_text(encoding="utf-8").replace("!function ", ""), yaml.SafeLoader)
    assert written["test_split"] == "fresh"
    assert written["fewshot_split"] == written["training_split"] == "train"
    lines = (tmp_path / "nano_sentiment_split_fresh_fresh.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == task.count()


def test_what_cannot_be_written(tmp_path: Path, folder: Path) -> None:
    class Foreign:
        info = YamlTask.from_path(folder / "answer.yaml").info

    with pytest.raises(TaskError, match="has it already"):
        export_harness(Foreign(), tmp_path)  # type: ignore[arg-type]
    task = YamlTask.from_path(folder / "answer.yaml")
    task.file = task.file.model_copy(update={"kind": "tagging"})
    with pytest.raises(TaskError, match="no counterpart"):
        export_harness(task, tmp_path)
    task.file = task.file.model_copy(update={"kind": "summarisation"})
    with pytest.raises(TaskError, match="lm-eval has no ROUGE of its own"):
        export_harness(task, tmp_path)
    task = YamlTask.from_path(folder / "answer.yaml")
    task.file = task.file.model_copy(update={"repeats": 2})
    with pytest.raises(TaskError, match="no counterpart of the key 'repeats'"):
        export_harness(task, tmp_path)
    task = YamlTask.from_path(folder / "choice.yaml")
    task.file = task.file.model_copy(update={"metric_list": [MetricItem(metric="log_loss")]})
    with pytest.raises(TaskError, match="no counterpart of the metric log_loss"):
        export_harness(task, tmp_path)
    task.file = task.file.model_copy(update={"metric_list": [MetricItem(metric="brier")]})
    written = export_harness(task, tmp_path / "brier").read_text(encoding="utf-8")
    assert "metric: brier_score" in written
