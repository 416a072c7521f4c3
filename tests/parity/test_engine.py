"""Request by request, the numbers of lm-evaluation-harness's own HF backend."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch

from tianti.engine import (
    GenerateRequest,
    GenerateResponse,
    RollingRequest,
    RollingResponse,
    ScoreRequest,
    ScoreResponse,
)
from tianti.engine.causal import CausalBackend
from tiny import CORPUS, tiny_gpt2, tiny_llama, tiny_tokenizer

SIZES: dict[str, Any] = {
    "vocab_size": 420,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
WORDS = [*" ".join(CORPUS).split(" "), "\n", "🙂"]


def text(draw: random.Random, most: int) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(draw.randint(1, most)))


def network(family: str) -> Any:
    """A tiny network of a family, with weights large enough that its logits differ."""
    if family == "llama":
        return tiny_llama()
    if family == "gpt2":
        return tiny_gpt2()
    import transformers

    changes = {
        "OPT": {"ffn_dim": 64, "word_embed_proj_dim": 32},
        "Qwen2": {"num_key_value_heads": 2},
        "Gemma2": {
            "num_key_value_heads": 2,
            "head_dim": 8,
            "sliding_window": 16,
            "final_logit_softcapping": 3.0,
        },
    }
    config = getattr(transformers, f"{family}Config")(**SIZES | changes.get(family, {}))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = transformers.AutoModelForCausalLM.from_config(config)
    for parameter in made.parameters():
        if parameter.dim() > 1:
            parameter.data.mul_(4)
    return made.eval()


FAMILIES = ["llama", "gpt2", "GPTNeoX", "OPT", "Qwen2", "Gemma2"]


def lm_eval_says(
    network: Any, tokenizer: Any, kind: str, arguments: list[Any], rows: int = 4, **settings: Any
) -> list[Any]:
    """What lm-eval's HFLM answers to requests of one kind."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    model = HFLM(pretrained=network, tokenizer=tokenizer, batch_size=rows, **settings)
    instances = [Instance(request_type=kind, doc={}, arguments=these, idx=0) for these in arguments]  # type: ignore[arg-type]
    found: list[Any] = getattr(model, kind)(instances, disable_tqdm=True)
    return found


def we_say(network: Any, tokenizer: Any, requests: list[Any]) -> list[Any]:
    found = dict(CausalBackend(network, tokenizer).answer(requests))
    return [found[index] for index in range(len(requests))]


def check_scores(network: Any, tokenizer: Any, pairs: list[tuple[str, str]], **settings: Any) -> None:
    ours = we_say(network, tokenizer, [ScoreRequest(*pair, truncate=True) for pair in pairs])
    theirs = lm_eval_says(network, tokenizer, "loglikelihood", pairs, **settings)
    for pair, response, (logprob, is_greedy) in zip(pairs, ours, theirs, strict=True):
        assert isinstance(response, ScoreResponse), pair
        assert response.logprob == pytest.approx(logprob, abs=1e-4), pair
        assert response.is_greedy == is_greedy, pair


def check_rolling(network: Any, tokenizer: Any, texts: list[str]) -> None:
    ours = we_say(network, tokenizer, [RollingRequest(text) for text in texts])
    theirs = lm_eval_says(network, tokenizer, "loglikelihood_rolling", [(text,) for text in texts])
    for response, logprob in zip(ours, theirs, strict=True):
        assert isinstance(response, RollingResponse)
        # The sum of up to a thousand tokens in float32.
        assert response.logprob == pytest.approx(logprob, abs=1e-4, rel=1e-6)


def check_texts(network: Any, tokenizer: Any, contexts: list[str], stop: tuple[str, ...], rows: int) -> None:
    requests = [GenerateRequest(context, stop, 20, truncate=True) for context in contexts]
    settings = {"until": list(stop), "max_gen_toks": 20, "do_sample": False}
    theirs = lm_eval_says(network, tokenizer, "generate_until", [(c, settings) for c in contexts], rows)
    for response, expected in zip(we_say(network, tokenizer, requests), theirs, strict=True):
        assert isinstance(response, GenerateResponse)
        assert response.text == expected


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


@pytest.mark.parametrize("family", FAMILIES)
def test_scores(family: str):
    check_scores(network(family), tiny_tokenizer(), pairs(random.Random(family)))


@pytest.mark.parametrize("family", FAMILIES)
def test_rolling(family: str):
    draw = random.Random(family)
    texts = ["A", "<s>the town", "the " * 127, "the " * 128, *(text(draw, 150) for _ in range(6))]
    check_rolling(network(family), tiny_tokenizer(), texts)


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_texts(family: str):
    """In batches that lm-eval pads and, one by one, with stop strings."""
    draw = random.Random(family)
    contexts = [text(draw, 40) for _ in range(9)] + ["A", " letters 小镇" * 60]
    made = network(family)
    check_texts(made, tiny_tokenizer(), contexts, (), rows=4)
    check_texts(made, tiny_tokenizer(), contexts, ("e", "\n", "ow", "it", "th"), rows=1)


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
