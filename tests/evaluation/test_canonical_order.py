"""A tiny network that read a data set in its order prefers that order; one that read it shuffled does not."""

import json
import random

import pytest
import torch

from replicates import replicates
from tianti.adapt.fitting import causal_backend
from tianti.core.exceptions import IncompatibleError
from tianti.core.seeds import derive_seed
from tianti.engine import RollingResponse
from tianti.engine.fake import FakeBackend
from tianti.evaluation.canonical_order import BETWEEN_ITEMS, check_order
from tianti.models import from_objects
from tianti.tasks import load_tasks
from tiny import tiny_llama, tiny_tokenizer

TASK = """\
task: numbers
kind: question-answering
data: {test: test.jsonl}
doc_to_text: "{{text}}"
doc_to_target: answer
"""


def _task(folder, items=48, **columns):
    rng = random.Random(0)
    rows = [
        {"text": f"Item {rng.randrange(1000)}?", "answer": str(rng.randrange(100))}
        | {name: of(index) for name, of in columns.items()}
        for index in range(items)
    ]
    (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "task.yaml").write_text(TASK + "".join(f"cluster: {name}\n" for name in columns))
    (task,) = load_tasks(str(folder / "task.yaml"))
    return task, [f"{row['text']} {row['answer']}" for row in rows]


class Moody(FakeBackend):
    """Log-probabilities from a hash of the text: no order is better than another."""

    def __init__(self, mood):
        super().__init__()
        self.mood = mood

    def _answer(self, request):
        return RollingResponse(-(derive_seed(self.mood, request.text) % 1000) / 100)


def test_a_model_without_memory_is_seldom_accused(tmp_path):
    task, _ = _task(tmp_path)
    count = replicates(1000, 150)
    wrong = sum(check_order(Moody(mood), task, shards=8, permutations=9).p <= 0.05 for mood in range(count))
    assert wrong / count <= 0.05 + 3 * (0.05 * 0.95 / count) ** 0.5


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _trained(texts, epochs=12):
    """A tiny network after so many readings of the texts."""
    network, tokenizer = tiny_llama(0), tiny_tokenizer()
    ids = torch.tensor(tokenizer(BETWEEN_ITEMS.join(texts))["input_ids"])
    rows = ids[: len(ids) // 64 * 64].reshape(-1, 64)
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)
    for _ in range(epochs * 8):
        loss = network(input_ids=rows, labels=rows).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    network.eval()
    return causal_backend(from_objects(network, tokenizer, "tiny"))


def test_what_was_read_in_order_is_found_out_and_what_was_read_shuffled_is_not(tmp_path, one_thread):
    task, texts = _task(tmp_path)
    shuffled = random.Random(1).sample(texts, len(texts))
    in_order = check_order(_trained(texts), task, shards=8, permutations=9)
    assert in_order.p < 0.01
    assert in_order.difference > 0
    assert check_order(_trained(shuffled), task, shards=8, permutations=9).p > 0.01
    untrained = causal_backend(from_objects(tiny_llama(0), tiny_tokenizer(), "tiny"))
    assert check_order(untrained, task, shards=8, permutations=9).p > 0.01


def test_items_of_a_cluster_stay_together(tmp_path):
    task, _ = _task(tmp_path, items=40, passage=lambda index: f"p{index // 4}")
    found = check_order(Moody(0), task, permutations=5)
    assert found.shards == 5  # ten passages, two in each shard
    assert check_order(Moody(0), task, limit=16, permutations=5).shards == 2


def test_what_cannot_be_tested_says_why(tmp_path):
    task, _ = _task(tmp_path, items=3)
    with pytest.raises(IncompatibleError, match="too few"):
        check_order(Moody(0), task)
    silent = FakeBackend()
    silent.request_types = frozenset()
    with pytest.raises(IncompatibleError, match="no log-probabilities"):
        check_order(silent, task)
