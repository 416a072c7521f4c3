"""Virtual tokens before the text learn: prompt tuning (Lester et al. 2021, arXiv 2104.08691) and P-tuning (Liu et al.
2021, arXiv 2103.10385), with peft's modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tianti.adapt.options import PositiveInt
from tianti.adapt.trained import Trained
from tianti.core.exceptions import InputError


@dataclass(frozen=True)
class PromptTuning(Trained):
    """The embeddings of `length` virtual tokens before the text are trained; the model is frozen.

    They stand before what a causal model or the encoder of an encoder–decoder model reads, and before the body under a
    head, where they are not pooled. Trainable parameters: length · width of the embeddings, and an encoder's head.
    """

    name: ClassVar[str] = "prompt-tuning"
    summary: ClassVar[str] = "the embeddings of virtual tokens before the text learn (prompt tuning)"
    goes_on: ClassVar[bool] = False

    length: PositiveInt = 16
    init: Literal["vocabulary", "random", "text"] = "vocabulary"
    """Where they start: at the embeddings of tokens drawn with the seed, at normal random numbers of the embeddings'
    mean and spread, or at the embeddings of `text`, again and again until all have one."""
    text: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.init == "text") != bool(self.text):
            raise InputError(
                f"{self.name}: init=text and text belong together, and one of them is not given",
                remedy='write prompt-tuning(init=text, text="Is the review positive or negative?")',
            )

    def reason_against(self, network: Any) -> tuple[str, str] | None:
        return too_long(network, self.length)

    def prepare(self, network: Any, tokenizer: Any = None) -> Any:
        from peft import PromptTuningConfig

        from tianti.adapt.virtual import start_embeddings, with_virtual_tokens

        start = start_embeddings(network, tokenizer, self.length, self.init, self.text)
        config = PromptTuningConfig(num_virtual_tokens=self.length, token_dim=start.shape[1])
        return with_virtual_tokens(network, config, start)


@dataclass(frozen=True)
class PTuning(Trained):
    """As prompt tuning, but the embeddings are what a small network makes of trained vectors.

    With v = length and d the width: v · d + 2 (d · hidden + hidden · hidden … ) as peft's MLP of three layers has them,
    d → hidden → hidden → d. An encoder's head learns as well.
    """

    name: ClassVar[str] = "p-tuning"
    summary: ClassVar[str] = "virtual tokens before the text, made by a small network that learns (P-tuning)"
    goes_on: ClassVar[bool] = False

    length: PositiveInt = 16
    hidden: PositiveInt | None = None
    """Width of the small network; that of the model's embeddings where it is not given."""

    def reason_against(self, network: Any) -> tuple[str, str] | None:
        return too_long(network, self.length)

    def prepare(self, network: Any, tokenizer: Any = None) -> Any:
        from peft import PromptEncoderConfig

        from tianti.adapt.virtual import with_virtual_tokens

        width = network.get_input_embeddings().weight.shape[1]
        config = PromptEncoderConfig(
            num_virtual_tokens=self.length, token_dim=width, encoder_hidden_size=self.hidden or width
        )
        return with_virtual_tokens(network, config, None)


def too_long(network: Any, length: int) -> tuple[str, str] | None:
    """Whether virtual tokens leave no room for a text."""
    positions = getattr(network.config, "max_position_embeddings", None)
    if positions is None or length < positions:
        return None
    return f"{length} virtual tokens leave no room in its {positions} positions", "give a smaller length"
