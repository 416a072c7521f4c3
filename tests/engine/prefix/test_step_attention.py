"""The attention of a prefix tree, step by step, against each token's attention over the tokens that it follows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import peft
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from forests import FORESTS, ancestors, prefix_of_place
from tianti.engine.prefix import step_attention as step_attention_module
from tianti.engine.prefix.attention import Heads, Settings
from tianti.engine.prefix.step_attention import Stack, StepAttention, tree_attention
from tianti.engine.prefix.steps import make_step
from tianti.engine.prefix.tree import PrefixTree, build_tree
from tianti.engine.tokens import Tokens
from tiny import tiny_llama

CPU = torch.device("cpu")
LAYERS = ("first", "second")


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def some_heads(tokens: int, key_heads: int, group: int, values: int) -> dict[str, Heads]:
    return {
        layer: Heads(
            2 * random(10 * seed + 1, key_heads * group, tokens, 8),
            random(10 * seed + 2, key_heads, tokens, 8),
            random(10 * seed + 3, key_heads, tokens, values),
        )
        for seed, layer in enumerate(LAYERS)
    }


def dense(heads: Heads, follows: list[set[int]], depths: list[int], asked: Settings) -> Tensor:
    """tokens × heads × width, in float64: every token over the tokens that it follows and its window reaches."""
    query, key, value = (part.double() for part in heads)
    group = query.shape[0] // key.shape[0]
    out = torch.zeros(query.shape[1], query.shape[0], value.shape[-1], dtype=torch.float64)
    for place, before in enumerate(follows):
        near = [
            other
            for other in sorted(before)
            if asked.window is None or depths[place] - depths[other] < asked.window
        ]
        for head in range(query.shape[0]):
            scores = key[head // group, near] @ query[head, place] * asked.scale
            if asked.softcap is not None:
                scores = asked.softcap * torch.tanh(scores / asked.softcap)
            if asked.sinks is not None:
                scores = torch.cat((scores, asked.sinks[head, None].double()))
            out[place, head] = scores.softmax(0)[: len(near)] @ value[head // group, near]
    return out


def by_steps(
    tree: PrefixTree, cuts: list[int], heads: dict[str, Heads], asked: dict[str, Settings], tile: int
) -> dict[str, Tensor]:
    stack = Stack()
    found: dict[str, list[Tensor]] = {layer: [] for layer in heads}
    for start, stop in pairwise(cuts):
        work = StepAttention(make_step(tree, start, stop, tile=tile), stack, CPU)
        for layer, parts in heads.items():
            found[layer].append(
                work.attend(layer, Heads(*(part[:, start:stop] for part in parts)), asked[layer])
            )
        work.finish()
    return {layer: torch.cat(parts) for layer, parts in found.items()}


@settings(max_examples=80, deadline=None)
@given(
    sequences=FORESTS,
    cuts=st.sets(st.integers(1, 120), max_size=5),
    tile=st.sampled_from((1, 2, 4, 192)),
    group=st.integers(1, 2),
    softcap=st.sampled_from((None, 3.0)),
    windows=st.tuples(*(st.sampled_from((None, 1, 2, 5, 9, 100)) for _ in LAYERS)),
    sinks=st.booleans(),
    values=st.sampled_from((8, 4)),
)
def test_steps_attend_as_every_token_would_alone(
    sequences: list[Tokens],
    cuts: set[int],
    tile: int,
    group: int,
    softcap: float | None,
    windows: tuple[int | None, ...],
    sinks: bool,
    values: int,
):
    """With layers of different windows, as in Gemma, and sinks as in gpt-oss."""
    tree = build_tree(sequences)
    follows = ancestors(prefix_of_place(tree, sequences))
    heads = some_heads(len(tree), 2, group, values)
    asked = {
        layer: Settings(0.4, softcap, window, random(7, 2 * group) if sinks else None)
        for layer, window in zip(LAYERS, windows, strict=True)
    }
    bounds = [0, *sorted(cut for cut in cuts if cut < len(tree)), len(tree)]
    found = by_steps(tree, bounds, heads, asked, tile)
    for layer in LAYERS:
        expected = dense(heads[layer], follows, tree.positions.tolist(), asked[layer])
        torch.testing.assert_close(found[layer].double(), expected, atol=2e-5, rtol=1e-4)


def test_a_step_whose_stack_finds_no_memory_can_be_read_again(monkeypatch: pytest.MonkeyPatch):
    """Whatever the layer at which it happens, what the steps before have put on the stack is still there."""
    sequences = [torch.arange(1, 40).int().numpy(), torch.tensor([1, 2, 3, *range(60, 160)]).int().numpy()]
    tree = build_tree(sequences)
    heads, asked = some_heads(len(tree), 2, 1, 8), dict.fromkeys(LAYERS, Settings(0.4))
    cuts = [0, 20, 30, 120, len(tree)]
    expected = by_steps(tree, cuts, heads, asked, 4)

    stack = Stack()
    larger, calls = Stack._larger, []
    failing = {"now": False}

    def short_of_memory(self: Stack, *given: Any) -> Any:
        calls.append(given)
        if failing["now"] and len(calls) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return larger(self, *given)

    monkeypatch.setattr(Stack, "_larger", short_of_memory)
    failures = 0
    for start, stop in pairwise(cuts):
        for failing["now"] in (True, False):
            calls.clear()
            work = StepAttention(make_step(tree, start, stop, tile=4), stack, CPU)
            found = {
                layer: work.attend(layer, Heads(*(part[:, start:stop] for part in parts)), asked[layer])
                for layer, parts in heads.items()
            }
            for layer in LAYERS:
                torch.testing.assert_close(found[layer], expected[layer][start:stop])
            try:
                work.finish()
                break
            except torch.OutOfMemoryError:
                failures += 1
    assert failures == 3


def test_the_stack_grows_by_doubling_and_keeps_what_it_is_told():
    stack, everything = Stack(), random(3, 2, 50, 4)
    stack.replace(0, {"layer": (everything[:, :3], everything[:, :3])})
    lengths = [3]
    for length in range(4, 50):
        stack.replace(
            length - 1, {"layer": (everything[:, length - 1 : length], everything[:, length - 1 : length])}
        )
        assert stack.length == length
        lengths.append(stack.layers["layer"][0].shape[1])
        assert torch.equal(stack.layers["layer"][0][:, :length], everything[:, :length])
    assert len(set(lengths)) <= 6
    stack.replace(7, {"layer": (everything[:, :0], everything[:, :0])})
    assert stack.length == 7


@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "peft"])
def test_the_network_attends_as_before_once_it_is_left(wrapped: bool):
    network: Any = tiny_llama()
    if wrapped:
        network = peft.get_peft_model(
            network, peft.LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear")
        )
    before = network.config._attn_implementation

    class Broken:
        def attend(self, layer: Any, heads: Heads, asked: Settings) -> Tensor:
            assert network.config._attn_implementation == step_attention_module.NAME
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), tree_attention(network, Broken()):
        network(input_ids=torch.tensor([[1, 2, 3]]))
    assert network.config._attn_implementation == before
    assert network(input_ids=torch.tensor([[1, 2, 3]])).logits.isfinite().all()


def test_what_a_layer_asks_for_reaches_the_work():
    """Grouped heads come as they are, with the layer's own scale and window."""
    from transformers import MistralConfig, MistralForCausalLM

    network: Any = MistralForCausalLM(
        MistralConfig(
            vocab_size=64,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            sliding_window=3,
        )
    ).eval()
    seen: list[Any] = []

    class Watching:
        def attend(self, layer: Any, heads: Heads, asked: Settings) -> Tensor:
            seen.append(([tuple(part.shape) for part in heads], asked.window, asked.scale))
            return heads.query.new_zeros(heads.query.shape[1], heads.query.shape[0], heads.value.shape[2])

    with torch.no_grad(), tree_attention(network, Watching()):
        network(input_ids=torch.arange(5)[None], position_ids=torch.arange(5)[None], use_cache=False)
    assert seen == [([(4, 5, 8), (2, 5, 8), (2, 5, 8)], 3, 8**-0.5)] * 2


@pytest.mark.parametrize("what", ["mask", "bias", "cache"])
def test_what_the_pieces_do_not_know_is_refused(what: str):
    tensors = [torch.zeros(1, 2, 3, 4) for _ in range(3)]
    given: dict[str, Any] = {"attention_mask": None}
    if what == "mask":
        given["attention_mask"] = torch.zeros(1, 1, 3, 3)
    elif what == "bias":
        given["position_bias"] = torch.zeros(1, 2, 3, 3)
    else:
        tensors[1] = tensors[2] = torch.zeros(1, 2, 7, 4)
    with pytest.raises(NotImplementedError):
        step_attention_module._attention(None, *tensors, **given)
