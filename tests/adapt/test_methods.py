"""Every trained adaptation on every architecture: the right parameters learn, all of them, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel

from tianti.adapt import ADAPTATIONS, parse_adaptation
from tianti.adapt.carrying import merged
from tianti.adapt.learning import untrained
from tianti.adapt.lesson import Lesson
from tianti.adapt.objectives import choose_objective
from tianti.adapt.trained import Trained
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Silent
from tianti.engine import ChooseRequest, GenerateRequest, ScoreRequest
from tianti.models import LoadedModel, from_objects
from tiny import tiny_bart, tiny_bert, tiny_gpt2, tiny_llama, tiny_t5, tiny_tokenizer

FAST = "lr=0.02, epochs=4, batch=8, warmup=0"
METHODS = {
    "full": f"full(lr=5e-3, {FAST.partition(', ')[2]})",
    "full, frozen": f"full(frozen=1, {FAST})",
    "lora": f"lora(r=4, {FAST})",
    "dora": f"dora(r=4, {FAST})",
    "rslora": f"rslora(r=4, {FAST})",
    "ia3": f"ia3({FAST})",
    "adapters": f"adapters(reduction=8, {FAST})",
    "adapters, houlsby": f"adapters(placement=houlsby, reduction=8, {FAST})",
    "bitfit": f"bitfit({FAST})",
    "layer-norm": f"layer-norm({FAST})",
    "prompt-tuning": "prompt-tuning(length=8, lr=0.2, epochs=8, batch=8, warmup=0)",
    "p-tuning": f"p-tuning(length=8, {FAST})",
    "prefix-tuning": f"prefix-tuning(length=8, {FAST})",
    "prefix-tuning, projected": f"prefix-tuning(length=8, projection=true, {FAST})",
}


def _qwen(family: str) -> PreTrainedModel:
    import transformers

    config = getattr(transformers, f"{family}Config")(
        vocab_size=len(tiny_tokenizer()), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=8, max_position_embeddings=128, pad_token_id=0,
        bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network: PreTrainedModel = getattr(transformers, f"{family}ForCausalLM")(config)
    return network.eval()


NETWORKS: dict[str, Callable[[], Any]] = {
    "llama": tiny_llama, "gpt2": tiny_gpt2, "qwen2": lambda: _qwen("Qwen2"), "qwen3": lambda: _qwen("Qwen3"),
    "bert": tiny_bert, "t5": tiny_t5, "bart": tiny_bart,
}  # fmt: skip
KIN = ("qwen3", "bart")
"""Networks like others here, with what sets them apart: norms of queries and keys; biases and added positions. They go
through the methods that touch it, and those that are refused."""
SOME = ("full", "lora", "adapters", "bitfit", "layer-norm", "prompt-tuning")
PAIRS = [
    (method, network)
    for network in NETWORKS
    for method in METHODS
    if network not in KIN or method in SOME or (method.startswith("prefix-tuning") and network == "bart")
]
WIDTH, LAYERS = 32, 2
REFUSED = {
    ("bitfit", "llama"): "no biases",
    ("bitfit", "t5"): "no biases",
    ("bitfit", "qwen3"): "no biases",
    **{
        (f"prefix-tuning{projected}", network): "an encoder of its own"
        for projected in ("", ", projected")
        for network in ("t5", "bart")
    },
}


def _linear(*sizes: tuple[int, int]) -> dict[str, int]:
    """The trainable parameters of LoRA's kin with r = 4 for linear layers of (in, out) in all blocks."""
    low = sum(4 * (inner + outer) for inner, outer in sizes)
    return {"lora": low, "rslora": low, "dora": low + sum(outer for _, outer in sizes)}


BOTTLENECK = 2 * WIDTH * 4 + WIDTH + 4
"""Down to a width of 4 and up again, with biases."""
COUNTS: dict[str, dict[str, int]] = {
    # Grouped queries: keys and values are half as wide.
    "llama": _linear(*LAYERS * [(32, 32), (32, 16), (32, 16), (32, 32), (32, 64), (32, 64), (64, 32)])
    | {
        "ia3": LAYERS * (16 + 16 + 64), "adapters": LAYERS * BOTTLENECK, "adapters, houlsby": 2 * LAYERS * BOTTLENECK,
        "layer-norm": (2 * LAYERS + 1) * WIDTH, "prompt-tuning": 8 * WIDTH, "prefix-tuning": 8 * LAYERS * 2 * 16,
    },
    "qwen2": _linear(*LAYERS * [(32, 32), (32, 16), (32, 16), (32, 32), (32, 64), (32, 64), (64, 32)])
    | {"bitfit": LAYERS * (32 + 16 + 16), "layer-norm": (2 * LAYERS + 1) * WIDTH, "prompt-tuning": 8 * WIDTH},
    "qwen3": _linear(*LAYERS * [(32, 32), (32, 16), (32, 16), (32, 32), (32, 64), (32, 64), (64, 32)])
    | {
        # One norm for the queries of all heads and one for their keys, each as wide as a head.
        "adapters": LAYERS * BOTTLENECK, "layer-norm": (2 * LAYERS + 1) * WIDTH + LAYERS * 2 * 8,
        "prompt-tuning": 8 * WIDTH,
    },
    "gpt2": _linear(*LAYERS * [(32, 96), (32, 32), (32, 128), (128, 32)])
    | {
        "ia3": LAYERS * (96 + 128), "adapters": LAYERS * BOTTLENECK, "adapters, houlsby": 2 * LAYERS * BOTTLENECK,
        "bitfit": LAYERS * (96 + 32 + 128 + 32 + 2 * 32) + 32, "layer-norm": (2 * LAYERS + 1) * 2 * WIDTH,
        "prompt-tuning": 8 * WIDTH, "prefix-tuning": 8 * LAYERS * 2 * WIDTH,
    },
    "bert": _linear(*LAYERS * [(32, 32), (32, 32), (32, 32), (32, 32), (32, 64), (64, 32)])
    | {
        "ia3": LAYERS * (32 + 32 + 32 + 64),
        "adapters": LAYERS * BOTTLENECK, "adapters, houlsby": 2 * LAYERS * BOTTLENECK,
        "bitfit": LAYERS * (4 * 32 + 64 + 32 + 2 * 32) + 32, "layer-norm": (2 * LAYERS + 1) * 2 * WIDTH,
        "prompt-tuning": 8 * WIDTH, "prefix-tuning": 8 * LAYERS * 2 * WIDTH,
    },
    "t5": _linear(*LAYERS * [*4 * [(32, 32)], (32, 64), (64, 32)], *LAYERS * [*8 * [(32, 32)], (32, 64), (64, 32)])
    | {"adapters": 2 * LAYERS * BOTTLENECK, "adapters, houlsby": 5 * LAYERS * BOTTLENECK, "prompt-tuning": 8 * WIDTH},
    "bart": _linear(*LAYERS * [*4 * [(32, 32)], (32, 64), (64, 32)], *LAYERS * [*8 * [(32, 32)], (32, 64), (64, 32)])
    | {
        # A norm of the embeddings on either side; two a block in the encoder and three in the decoder.
        "adapters": 2 * LAYERS * BOTTLENECK, "layer-norm": (2 + 5 * LAYERS) * 2 * WIDTH, "prompt-tuning": 8 * WIDTH,
        "bitfit": LAYERS * (12 * 32 + 2 * (64 + 32)) + (2 + 5 * LAYERS) * 32,
    },
}  # fmt: skip


def loaded(network: str) -> LoadedModel:
    return from_objects(NETWORKS[network](), tiny_tokenizer(), f"tiny-{network}")


@pytest.mark.parametrize(("method", "network"), PAIRS)
def test_it_learns_the_right_parameters_and_no_others(
    method: str, network: str, task: Callable[[str], Any], tmp_path: Path
) -> None:
    model, stub, adaptation = loaded(network), task("labels"), parse_adaptation(METHODS[method])
    if (method, network) in REFUSED:
        with pytest.raises(IncompatibleError, match=REFUSED[method, network]):
            adaptation.check(model, stub)
        return
    adaptation.check(model, stub)
    before = copy.deepcopy(model.network.state_dict())
    lesson = Lesson(adaptation, model, stub, 0)
    objective = choose_objective(lesson)
    network_before = untrained(objective, lambda original: adaptation.prepare(original, model.tokenizer))
    start = {name: p.detach().clone() for name, p in network_before.named_parameters()}
    loss, terms = objective.loss(network_before, objective.items(network_before, stub.train))
    (loss / terms).backward()  # type: ignore[no-untyped-call]
    for name, parameter in network_before.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
        else:
            assert parameter.grad is None, name

    adapted = adaptation.adapt(model, stub, 0, tmp_path, Silent())
    assert adapted.cost.train_loss[-1] < adapted.cost.train_loss[0]
    head = 2 * WIDTH + 2 if network == "bert" else 0
    if method in COUNTS[network]:
        assert adapted.cost.trainable_parameters == COUNTS[network][method] + head
    trained = dict(adapted.network.named_parameters())
    assert trained.keys() == start.keys()
    moved = {name for name, parameter in trained.items() if not torch.equal(parameter, start[name])}
    learning = {name for name, parameter in network_before.named_parameters() if parameter.requires_grad}
    assert moved <= learning
    # A bias before a softmax over keys has no effect and so no gradient but rounding; everything else moves.
    assert {name for name in learning - moved if not name.endswith(("k_proj.bias", "key.bias"))} == set()
    for name, value in model.network.state_dict().items():
        assert torch.equal(value, before[name]), f"the original is left alone: {name}"

    asked: list[Any] = (
        [ChooseRequest(example.text, example.choices) for example in stub.train[:5]]
        if network == "bert"
        else [ScoreRequest(example.context, example.continuation) for example in stub.train[:5]]
    )
    again = adaptation.adapt(model, stub, 0, tmp_path, Silent())
    assert dict(adapted.backend.answer(asked)) == dict(again.backend.answer(asked))


@pytest.mark.parametrize(
    ("method", "network"), [pair for pair in PAIRS if pair[0] != "full, frozen" and pair[1] != "bert"]
)
def test_the_engine_scores_what_was_trained(
    method: str, network: str, task: Callable[[str], Any], tmp_path: Path
) -> None:
    """The loss of the training loop, which calls the network plainly, is what the engine scores afterwards."""
    if (method, network) in REFUSED:
        return
    model, stub, adaptation = loaded(network), task("labels"), parse_adaptation(METHODS[method])
    objective = choose_objective(Lesson(adaptation, model, stub, 0))
    adapted = adaptation.adapt(model, stub, 0, tmp_path, Silent())
    with torch.no_grad():
        loss, terms = objective.loss(adapted.network, objective.items(adapted.network, stub.train))
    asked = [ScoreRequest(example.context, example.continuation) for example in stub.train]
    scored = list(dict(adapted.backend.answer(asked)).values())
    assert -float(loss) == pytest.approx(sum(response.logprob for response in scored), rel=1e-4)
    assert terms == sum(len(response.token_logprobs) for response in scored)


@pytest.mark.parametrize(
    ("method", "network"),
    [
        *product(("lora", "adapters", "prompt-tuning", "p-tuning", "prefix-tuning"), ("llama", "gpt2", "t5")),
        *product(("lora",), KIN),
    ],
)
def test_it_writes_what_plain_calls_of_the_network_find_likeliest(
    method: str, network: str, task: Callable[[str], Any], tmp_path: Path
) -> None:
    if (method, network) in REFUSED:
        return
    model, stub = loaded(network), task("text")
    adapted = parse_adaptation(METHODS[method]).adapt(model, stub, 0, tmp_path, Silent())
    contexts = [stub.train[0].context, "the little town " + stub.train[1].context]
    written = dict(adapted.backend.answer([GenerateRequest(context, ("\n",), 4) for context in contexts]))
    for number, context in enumerate(contexts):
        ids = model.tokenizer(context, return_tensors="pt")["input_ids"]
        assert written[number].text == _greedy(adapted.network, ids, model.tokenizer, 4).partition("\n")[0]


@pytest.mark.filterwarnings("error::FutureWarning", "error::UserWarning")
def test_virtual_tokens_make_no_library_warn(task: Callable[[str], Any], tmp_path: Path) -> None:
    stub = task("text")
    adapted = parse_adaptation(METHODS["prompt-tuning"]).adapt(loaded("llama"), stub, 0, tmp_path, Silent())
    context = stub.train[0].context
    asked = [GenerateRequest(context, ("\n",), 4), ScoreRequest(context, stub.train[0].continuation)]
    assert len(list(adapted.backend.answer(asked))) == 2


def _greedy(network: Any, ids: torch.Tensor, tokenizer: Any, count: int) -> str:
    """Up to `count` tokens by one plain call of the network for each."""
    of_both = network.config.is_encoder_decoder
    written = torch.tensor([[network.config.decoder_start_token_id]]) if of_both else ids
    with torch.no_grad():
        for _ in range(count):
            given = {"input_ids": ids, "decoder_input_ids": written} if of_both else {"input_ids": written}
            mask = torch.ones_like(given["input_ids"])
            logits = network(**given, attention_mask=mask, use_cache=False).logits[0, -1]
            if int(logits.argmax()) == tokenizer.eos_token_id:
                break
            written = torch.cat((written, logits.argmax()[None, None]), dim=1)
    text: str = tokenizer.decode(written[0, 1 if of_both else ids.shape[1] :], skip_special_tokens=True)
    return text


@pytest.mark.parametrize("network", ["llama", "gpt2", "bert", "t5"])
@pytest.mark.parametrize("method", ["lora", "dora", "rslora", "ia3"])
def test_merging_into_the_weights_changes_no_number(
    method: str, network: str, task: Callable[[str], Any], tmp_path: Path
) -> None:
    model, stub = loaded(network), task("labels")
    adapted = parse_adaptation(METHODS[method]).adapt(model, stub, 0, tmp_path, Silent())
    apart = getattr(adapted.network, "body", adapted.network)
    together = merged(apart, torch.float32).eval()
    assert not any("lora" in name or "ia3" in name for name, _ in together.named_parameters())
    ids = torch.arange(5, 25)[None] % 400
    given = {"input_ids": ids} | ({"decoder_input_ids": ids[:, :6]} if network == "t5" else {})
    with torch.no_grad():
        assert torch.allclose(apart(**given)[0], together(**given)[0], atol=1e-4)


@pytest.mark.parametrize("network", ["llama", "gpt2", "t5"])
@pytest.mark.parametrize("method", ["full", "lora", "adapters", "prompt-tuning", "prefix-tuning"])
@pytest.mark.parametrize("form", ["labels", "choices"])
def test_a_head_on_the_body_of_a_language_model(
    method: str, network: str, form: str, task: Callable[[str], Any], tmp_path: Path
) -> None:
    model, stub = loaded(network), task(form)
    adaptation = parse_adaptation(METHODS[method].replace("(", "(head=true, ", 1))
    if (method, network) in REFUSED:
        with pytest.raises(IncompatibleError, match=REFUSED[method, network]):
            adaptation.check(model, stub)
        return
    adaptation.check(model, stub)
    adapted = adaptation.adapt(model, stub, 0, tmp_path, Silent())
    assert adapted.backend.request_types == frozenset({ChooseRequest})
    assert adapted.network.head.out_features == (2 if form == "labels" else 1)
    assert min(adapted.cost.train_loss) < adapted.cost.train_loss[0]
    # Padding and what stands beside a text in a batch change nothing.
    asked = [ChooseRequest(example.text, example.choices) for example in stub.train[:6]]
    together = dict(adapted.backend.answer(asked))
    for number, request in enumerate(asked):
        ((_, alone),) = adapted.backend.answer([request])
        assert alone.logprobs == pytest.approx(together[number].logprobs, abs=1e-4)


def test_a_head_is_refused_where_it_says_nothing(task: Callable[[str], Any]) -> None:
    with pytest.raises(IncompatibleError, match="always learns by a head"):
        parse_adaptation("lora(head=true)").check(loaded("bert"), task("labels"))
    with pytest.raises(IncompatibleError, match="free text"):
        parse_adaptation("lora(head=true)").check(loaded("llama"), task("text"))


@pytest.mark.parametrize("init", ["init=random", "init=vocabulary", "init=text, text='This film is'"])
def test_where_a_soft_prompt_starts(init: str, task: Callable[[str], Any]) -> None:
    model = loaded("llama")
    adaptation = parse_adaptation(f"prompt-tuning(length=5, {init})")
    assert isinstance(adaptation, Trained)
    objective = choose_objective(Lesson(adaptation, model, task("labels"), 0))
    network = untrained(objective, lambda original: adaptation.prepare(original, model.tokenizer))
    (start,) = [p for p in network.parameters() if p.requires_grad]
    embeddings = model.network.get_input_embeddings().weight
    rows = [bool((embeddings == row).all(dim=1).any()) for row in start]
    assert all(rows) == (init != "init=random")
    if "text" in init.split(",")[0]:
        tokens = model.tokenizer("This film is", add_special_tokens=False)["input_ids"]
        assert torch.equal(start, embeddings[[tokens[place % len(tokens)] for place in range(5)]])


def test_freezing_more_layers_than_there_are_is_refused(task: Callable[[str], Any]) -> None:
    with pytest.raises(IncompatibleError, match="3 layers to freeze, of 2"):
        parse_adaptation("full(frozen=3)").check(loaded("llama"), task("labels"))


def test_frozen_layers_are_the_lowest(task: Callable[[str], Any]) -> None:
    model = loaded("llama")
    adaptation = parse_adaptation("full(frozen=1)")
    network = adaptation.prepare(model.network)  # type: ignore[attr-defined]
    names = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
    assert all(".layers.1." in name or name.startswith(("model.norm", "lm_head")) for name in names)
    assert any(".layers.1." in name for name in names)


@pytest.mark.parametrize(
    ("chain", "reason"),
    [
        ("lora(head=true) + lora", "leaves a body with a task head"),
        ("lora(head=true) + update + full", "leaves a body with a task head"),
        ("adapters + lora", "lora cannot start from it"),
        ("prompt-tuning + update + lora", "lora cannot start from it"),
    ],
)
def test_what_the_next_step_of_a_chain_cannot_start_from(
    chain: str, reason: str, task: Callable[[str], Any]
) -> None:
    with pytest.raises(IncompatibleError, match=reason):
        parse_adaptation(chain).check(loaded("llama"), task("labels"))
    parse_adaptation("lora + lora(head=true) + update").check(loaded("llama"), task("labels"))


@pytest.mark.parametrize("method", ["prompt-tuning", "p-tuning", "prefix-tuning"])
def test_virtual_tokens_are_not_packed(method: str, task: Callable[[str], Any], tmp_path: Path) -> None:
    with pytest.raises(IncompatibleError, match="each of its texts needs them"):
        parse_adaptation(f"{method}(batches=packed)").adapt(
            loaded("llama"), task("labels"), 0, tmp_path, Silent()
        )


def test_every_trained_adaptation_is_tried_here() -> None:
    trained = {name for name, kind in ADAPTATIONS.items() if issubclass(kind, Trained)}
    assert trained == {text.partition("(")[0] for text in METHODS.values()}
