"""Prefix tuning: keys and values before the text learn, in every layer (Li & Liang 2021, arXiv 2101.00190)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tianti.adapt.options import PositiveInt
from tianti.adapt.soft_prompts import too_long
from tianti.adapt.trained import Trained


@dataclass(frozen=True)
class PrefixTuning(Trained):
    """The keys and values of `length` virtual tokens are trained in every attention layer; the model is frozen.

    Trainable parameters: length · layers · 2 · width of the keys (with grouped queries less than the model's), and an
    encoder's head. With `projection` an MLP of `hidden` units makes them of trained vectors, as in the paper.
    """

    name: ClassVar[str] = "prefix-tuning"
    summary: ClassVar[str] = "keys and values before the text learn in every layer (prefix tuning)"
    goes_on: ClassVar[bool] = False

    length: PositiveInt = 16
    projection: bool = False
    hidden: PositiveInt | None = None
    """Units of the projection; the width of the keys where it is not given."""

    def reason_against(self, network: Any) -> tuple[str, str] | None:
        if self.gradient_checkpointing:
            return (
                "layers that are computed twice read no keys of a prefix",
                "leave gradient_checkpointing out",
            )
        if network.config.is_encoder_decoder or type(network).__name__ == "T5Stack":
            return (
                "it has an encoder of its own, whose attention takes no keys from outside",
                "use prompt-tuning, whose virtual tokens the encoder reads",
            )
        return too_long(network, self.length)

    def prepare(self, network: Any, tokenizer: Any = None) -> Any:
        from peft import PrefixTuningConfig

        from tianti.adapt.virtual import with_virtual_tokens

        config = PrefixTuningConfig(
            num_virtual_tokens=self.length, prefix_projection=self.projection, encoder_hidden_size=self.hidden
        )
        return with_virtual_tokens(network, config, None)
