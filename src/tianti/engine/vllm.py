"""The backend for causal language models that vLLM runs, in this process.

vLLM computes a shared prefix once as long as it may read its prefix cache, and by default it may not when
log-probabilities of the prompt are asked for. Here it may: positions that it took from the cache come back without a
(right) log-probability, which does not matter as long as they lie before what is scored; where they do not, the request
is asked again without the cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from tianti.core.exceptions import MissingExtraError
from tianti.engine.batches import Usage
from tianti.engine.generation.writing import Ends, Prompt, Writing
from tianti.engine.requests import (
    Failure,
    GenerateRequest,
    Request,
    Response,
    RollingRequest,
    RollingResponse,
    ScoreRequest,
    ScoreResponse,
)
from tianti.engine.scoring.logits import Reading, Scored, readings
from tianti.engine.tokens import CausalTokens, Tokens, Window

LIKELIEST = 20
"""Log-probabilities of the next token that one request gives: vLLM's own limit. Others are asked for one by one."""


def start_vllm(folder: str, *, dtype: str, batch: int | Literal["auto"]) -> Any:
    """vLLM's engine with the weights of a folder; it takes the GPU for itself.

    Raises:
        MissingExtraError: vLLM is not installed.
    """
    try:
        from vllm import LLM
    except ImportError as error:
        raise MissingExtraError("vllm", "vllm", "the engine vllm") from error
    return LLM(
        model=folder,
        dtype=dtype,
        seed=0,
        trust_remote_code=False,
        load_format="safetensors",
        enable_prefix_caching=True,
        max_logprobs=LIKELIEST,
        logprobs_mode="raw_logprobs",
        **({} if batch == "auto" else {"max_num_seqs": batch}),
    )


class VllmBackend:
    """Answers score, rolling and generation requests with the tokens and the meaning of `CausalBackend`.

    vLLM always writes a token and counts it: the model reads one token less than its length. The model's own
    generation_config decides where a text ends, and nothing else about it. What stands in the prefix cache may change
    the last bits of a number.
    """

    request_types = frozenset({ScoreRequest, RollingRequest, GenerateRequest})

    def __init__(self, llm: Any, tokenizer: Any, *, batch: int | Literal["auto"] = "auto") -> None:
        self.llm = llm
        self.config = llm.llm_engine.model_config
        self.tokens = CausalTokens(tokenizer, self.config.max_model_len - 1, self.config.get_vocab_size())
        self.batch = batch
        self.usage = Usage()

    def prepare(self, requests: Sequence[Request]) -> None:
        """vLLM keeps what requests have in common by itself."""

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        kinds: dict[type, dict[int, Any]] = {kind: {} for kind in self.request_types}
        for index, request in enumerate(requests):
            if type(request) in kinds:
                kinds[type(request)][index] = request
            else:
                yield index, Failure("skipped", f"a causal model cannot answer a {type(request).__name__}")
        score, roll, generate = (kinds[kind] for kind in (ScoreRequest, RollingRequest, GenerateRequest))
        with self.usage.timed():
            windows: dict[int, Any] = dict(zip(roll, self.tokens.rolling(list(roll.values())), strict=True))
            for index, window in zip(score, self.tokens.windows(list(score.values())), strict=True):
                windows[index] = window if isinstance(window, Failure) else [window]
            asked = [window for those in windows.values() if isinstance(those, list) for window in those]
            scores = iter(self._score(asked))
            responses = [
                (index, those)
                if isinstance(those, Failure)
                else (index, _scored_response(requests[index], those, [next(scores) for _ in those]))
                for index, those in windows.items()
            ]
        yield from responses
        yield from self._generate(generate)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self.tokens.count(texts)

    def facts(self) -> Mapping[str, Any]:
        import vllm

        return {
            "backend": "vllm",
            "version": vllm.__version__,
            "dtype": str(self.config.dtype).removeprefix("torch."),
            "max_length": self.tokens.max_length,
            "batch": self.batch,
            "seconds_answering": round(self.usage.seconds, 3),
            "tokens_run": self.usage.tokens,
        }

    def _score(self, windows: Sequence[Window]) -> list[Scored]:
        """The scores of each window.

        A window's last token is the one that vLLM writes, so that choices which differ in it alone are one request;
        the others are looked up in the prompt.
        """
        # In this order those that share a prefix follow each other.
        rows = sorted(readings(windows), key=lambda row: row.tokens.tobytes())
        wanted = [sorted({int(windows[number].tokens[-1]) for number in row.windows}) for row in rows]
        outputs = self._run(
            [row.tokens for row in rows],
            [
                _looking(row.scored > 1, targets, cached=True)
                for row, targets in zip(rows, wanted, strict=True)
            ],
        )
        stale = [
            number
            for number, (row, output) in enumerate(zip(rows, outputs, strict=True))
            if not _is_fresh(row, output)
        ]
        repeated = self._run(
            [rows[number].tokens for number in stale],
            [_looking(True, wanted[number], cached=False) for number in stale],
        )
        for number, output in zip(stale, repeated, strict=True):
            outputs[number] = output
        last = [dict(output.outputs[0].logprobs[0]) for output in outputs]
        rare = [
            (number, target)
            for number, targets in enumerate(wanted)
            for target in targets
            if target not in last[number]
        ]
        found = self._run(
            [rows[number].tokens for number, _ in rare],
            [_looking(False, [target], cached=True) for _, target in rare],
        )
        for (number, target), output in zip(rare, found, strict=True):
            last[number][target] = output.outputs[0].logprobs[0][target]
        scores: dict[int, Scored] = {}
        for row, output, after in zip(rows, outputs, last, strict=True):
            for window in row.windows:
                scores[window] = _scored(row, windows[window], output.prompt_logprobs, after)
        return [scores[number] for number in range(len(windows))]

    def _generate(self, asked: Mapping[int, GenerateRequest]) -> Iterator[tuple[int, Response]]:
        with self.usage.timed():
            read: dict[int, Tokens | Failure] = dict(
                zip(asked, self.tokens.prompts(list(asked.values())), strict=True)
            )
            for index in [index for index, request in asked.items() if request.thinking is not None]:
                read[index] = Failure("skipped", "a limit on thinking is not supported by the vllm backend")
            prompts = {index: tokens for index, tokens in read.items() if not isinstance(tokens, Failure)}
            outputs = self._run(list(prompts.values()), [self._writing(asked[index]) for index in prompts])
        yield from ((index, failure) for index, failure in read.items() if isinstance(failure, Failure))
        for index, output in zip(prompts, outputs, strict=True):
            yield index, self._text(Prompt(asked[index], prompts[index]), output.outputs[0])

    def _writing(self, request: GenerateRequest) -> Any:
        from vllm import SamplingParams

        eos = self.tokens.tokenizer.eos_token_id
        return SamplingParams(
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            top_p=request.top_p if request.temperature > 0 else 1.0,
            seed=request.seed if request.temperature > 0 else None,
            stop=[stop for stop in request.stop if stop],
            include_stop_str_in_output=True,
            stop_token_ids=[] if eos is None else [eos],
        )

    def _text(self, prompt: Prompt, output: Any) -> Response:
        """The response made of the new tokens as it is for every other way of generating."""
        eos = self.tokens.tokenizer.eos_token_id
        ends = set() if eos is None else {eos}
        if output.finish_reason == "stop" and not isinstance(output.stop_reason, str):
            # The model's generation_config may name end tokens that the tokenizer does not know as such.
            ends.add(output.token_ids[-1])
        writing = Writing(prompt, Ends(self.tokens.tokenizer, ends))
        for token in output.token_ids:
            if not writing.done:
                writing.add(token)
        return writing.response()

    def _run(self, prompts: Sequence[Tokens], parameters: Sequence[Any]) -> list[Any]:
        """vLLM's outputs for prompts of tokens, in their order."""
        if not prompts:
            return []
        given = [{"prompt_token_ids": tokens.tolist()} for tokens in prompts]
        outputs = list(self.llm.generate(given, list(parameters), use_tqdm=False))
        for output in outputs:
            read = len(output.prompt_token_ids) - (output.num_cached_tokens or 0)
            self.usage.tokens += read + len(output.outputs[0].token_ids)
        return outputs


def _looking(prompt: bool, targets: Sequence[int], *, cached: bool) -> Any:
    """Write one token and say how likely the `targets` were there, and the tokens of the prompt if `prompt`.

    A single target is made the only token that can be written: its log-probability, taken before that, is always given.
    """
    from vllm import SamplingParams

    return SamplingParams(
        max_tokens=1,
        temperature=0.0,
        detokenize=False,
        logprobs=0 if len(targets) == 1 else LIKELIEST,
        allowed_token_ids=list(targets) if len(targets) == 1 else None,
        prompt_logprobs=0 if prompt else None,
        skip_reading_prefix_cache=not cached,
    )


def _is_fresh(row: Reading, output: Any) -> bool:
    """Whether the prompt's scored tokens were computed: the position before each of them was not in the cache."""
    first = len(row.tokens) - (row.scored - 1)
    if row.scored == 1:
        return True
    computed = first - 1 >= (output.num_cached_tokens or 0)
    return computed and all(entry is not None for entry in output.prompt_logprobs[first:])


def _scored(row: Reading, window: Window, prompt: Any, after: Mapping[int, Any]) -> Scored:
    first = len(row.tokens) - (window.scored - 1)
    found = [prompt[place][int(row.tokens[place])] for place in range(first, len(row.tokens))]
    found.append(after[int(window.tokens[-1])])
    return Scored([float(entry.logprob) for entry in found], all(entry.rank == 1 for entry in found))


def _scored_response(request: Request, windows: Sequence[Window], scores: Sequence[Scored]) -> Response:
    logprobs = [logprob for score in scores for logprob in score.logprobs]
    read, total = sum(len(window.tokens) for window in windows), sum(logprobs)
    if not math.isfinite(total):
        return Failure("error", f"non_finite: the log-probability is {total}", tokens=read)
    if isinstance(request, RollingRequest):
        return RollingResponse(float(total), tokens=len(logprobs))
    return ScoreResponse(total, all(score.is_greedy for score in scores), tuple(logprobs), tokens=read)
