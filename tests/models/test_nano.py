"""The models that the product carries: small, described by their cards, and loadable like any other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoTokenizer

from tianti.core.exceptions import UnknownNameError
from tianti.core.fingerprint import file_digest
from tianti.models import load_model, open_model
from tianti.models.nano import NANO, nano_folder, untrained


@pytest.fixture(params=list(NANO))
def folder(request: pytest.FixtureRequest) -> Path:
    return nano_folder(request.param)


def test_the_card_describes_the_weights(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text("utf-8"))
    assert card["weights_sha256"] == file_digest(folder / "model.safetensors")
    assert card["tokenizer_sha256"] == file_digest(folder / "tokenizer.json")
    assert card["licence"] == "Apache-2.0"
    assert AutoConfig.from_pretrained(folder).dtype is torch.float16
    network, _ = load_model(open_model(f"nano:{folder.name}")).pair()
    assert type(network).__name__ == card["architecture"]
    assert network.num_parameters() == card["parameters"]


def test_it_is_small(folder: Path) -> None:
    assert (folder / "model.safetensors").stat().st_size <= 4_000_000
    assert open_model(f"nano:{folder.name}").parameters <= 2_000_000  # type: ignore[operator]


AROUND = {"llama": ("", ""), "bert": ("[CLS]", "[SEP]"), "t5": ("", "</s>")}
"""What each tokenizer puts before and behind a text."""


def test_the_tokenizer_adds_its_marks_and_loses_nothing(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.is_fast
    assert tokenizer.pad_token_id not in (None, tokenizer.eos_token_id)
    before, after = AROUND[folder.name]
    for text in ("Mira lives in Amber Lane.\n\nAnswer:", "米拉住在琥珀巷。\n答案：", "龘 naïve 🙂 42"):
        bare = tokenizer.encode(text, add_special_tokens=False)
        assert not set(tokenizer.all_special_ids) & set(bare)
        assert tokenizer.decode(bare) == text
        assert tokenizer.decode(tokenizer.encode(text)) == before + text + after


@pytest.mark.parametrize(
    ("context", "answer"),
    [("Sentiment:", " positive"), ("情感：", "好评"), ("Answer:", " Amber Lane"), ("答案：", "琥珀巷")],
)
def test_the_tokens_of_a_prompt_do_not_depend_on_the_answer(context: str, answer: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(nano_folder("llama"))
    assert tokenizer.eos_token == tokenizer.bos_token
    assert tokenizer.encode(context + answer + "\n\n") == [
        *tokenizer.encode(context),
        *tokenizer.encode(answer),
        *tokenizer.encode("\n\n"),
    ]


def test_an_untrained_copy_depends_on_its_seed_alone(folder: Path) -> None:
    before = torch.get_rng_state()
    one, same = untrained(folder, 1), untrained(AutoConfig.from_pretrained(folder), 1)
    other = untrained(folder, 2)
    assert torch.equal(torch.get_rng_state(), before)
    assert one.dtype is torch.float32
    assert all(
        torch.equal(left, right) for left, right in zip(one.parameters(), same.parameters(), strict=True)
    )
    card = json.loads((folder / "card.json").read_text("utf-8"))
    assert type(one).__name__ == card["architecture"]
    assert not torch.equal(one.get_input_embeddings().weight, other.get_input_embeddings().weight)


def test_an_unknown_name_brings_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'llama'"):
        nano_folder("lama")
