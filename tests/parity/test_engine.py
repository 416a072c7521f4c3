"""Odd requests and odd tokenizers: the numbers of lm-evaluation-harness's own HF backend."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from parity import prompts
from parity.families import FAMILIES, build
from parity.harness import check_rolling, check_scores, check_texts, lm_eval_says, we_say
from tianti.engine import ScoreRequest
from tiny import CORPUS, tiny_gpt2, tiny_llama, tiny_tokenizer

WORDS = [*" ".join(CORPUS).split(" "), "\n", "🙂"]


def text(draw: random.Random, most: int) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(draw.randint(1, most)))


def pairs(draw: random.Random) -> list[tuple[str, str]]:
    """Odd ones first: empty contexts, spaces at the join, a prefix token in the text, one-token choices, long ones."""
    question = text(draw, 20)
    found = [("", "the town"), ("", " the"), ("", "<s>a town"), ("<s>little", " town")]
    found += [
        ("the mill ", "town"),
        ("the mill\n\n", "town"),
        ("the lett", "ers are in the mill"),
        ("小", "镇"),
    ]
    found += [(question, f" {letter}") for letter in "ABCD"] + [(question, " the little town")] * 2
    found += [(text(draw, 30), " " + text(draw, 4)) for _ in range(24)]
    found += [(text(draw, 30) + " letters 小镇" * 60, " " + text(draw, 9)) for _ in range(4)]
    return found


def test_the_same_tokens_split_at_different_points():
    """Here lm-eval's cache of logits gives the shorter continuation the terms of the longer one's first tokens."""
    clash = [("the little town", " bakes bread"), ("the little", " town bakes bread"), ("the", " town")]
    check_scores(tiny_llama(), tiny_tokenizer(), clash, logits_cache=False)
    right = lm_eval_says(tiny_llama(), tiny_tokenizer(), "loglikelihood", clash, logits_cache=False)
    assert lm_eval_says(tiny_llama(), tiny_tokenizer(), "loglikelihood", clash) != right


def test_a_tokenizer_that_adds_bos():
    tokenizer = tiny_tokenizer(add_bos=True)
    draw = random.Random(1)
    check_scores(tiny_llama(), tokenizer, [*pairs(draw), (" ", "the"), ("\n\n", " the")])
    check_rolling(tiny_llama(), tokenizer, ["", "<s>the town", text(draw, 150)])
    check_texts(tiny_llama(), tokenizer, ["the town", "bread", "<s>the town"], ("e",), rows=1)


def test_a_tokenizer_without_bos():
    tokenizer = tiny_tokenizer()
    tokenizer.bos_token = None
    check_scores(tiny_gpt2(), tokenizer, [("", "the town"), ("", "</s>the"), ("the town", " A")])
    check_rolling(tiny_gpt2(), tokenizer, ["the town " * 90])


def test_lora():
    import peft

    config = peft.LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", init_lora_weights=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        adapted = peft.get_peft_model(tiny_llama(), config).eval()
    check_scores(adapted, tiny_tokenizer(), pairs(random.Random(2)))
    check_texts(adapted, tiny_tokenizer(), ["the town", "bread and letters"], ("e",), rows=1)


@pytest.mark.real_data
def test_with_the_tokenizer_of_gpt2(real_data: Path):
    from transformers import GPT2TokenizerFast

    folder = real_data / "tokenizers" / "gpt2"
    files = (folder / "gpt2_vocab.json", folder / "gpt2_merges.txt")
    tokenizer = GPT2TokenizerFast(vocab=str(files[0]), merges=str(files[1]))
    assert tokenizer.encode("Hello world") == [15496, 995]
    made = tiny_gpt2(vocab_size=len(tokenizer), bos_token_id=50256, eos_token_id=50256, pad_token_id=50256)
    draw = random.Random(3)
    check_scores(made, tokenizer, [pair for pair in pairs(draw) if pair[0] != "the lett"])
    check_rolling(made, tokenizer, ["<|endoftext|>the town", text(draw, 200)])
    check_texts(made, tokenizer, [text(draw, 30) for _ in range(6)], ("e", "\n", "ow"), rows=1)


@pytest.mark.parametrize("name", ["llama-gqa", "gemma2", "gpt2"])
def test_bfloat16_is_no_further_from_float32_than_lm_eval(name: str):
    """Roundings differ between any two orders of summing; what must not is how large they are on average."""
    (family,) = (family for family in FAMILIES if family.name == name)
    asked = prompts.pairs()
    tokenizer = prompts.family_tokenizer()
    exact = lm_eval_says(build(family), tokenizer, "loglikelihood", asked, logits_cache=False)
    rounded = build(family).to(torch.bfloat16)
    theirs = lm_eval_says(rounded, tokenizer, "loglikelihood", asked, logits_cache=False)
    ours = we_say(rounded, tokenizer, [ScoreRequest(*pair, truncate=True) for pair in asked])
    our_error = sum(abs(found.logprob - right) for found, (right, _) in zip(ours, exact, strict=True))
    their_error = sum(abs(found - right) for (found, _), (right, _) in zip(theirs, exact, strict=True))
    assert 0 < our_error < 1.25 * their_error
