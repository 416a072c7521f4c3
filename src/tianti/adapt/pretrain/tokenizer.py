"""The tokenizer of a pre-training: trained on its text, or a given one that is checked to fit the architecture."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from tianti.adapt.pretrain.settings import Pretraining
from tianti.core.exceptions import IncompatibleError, ModelError

END, PAD = "<|end|>", "<|pad|>"
SENTINELS = tuple(f"<extra_id_{number}>" for number in range(100))
"""T5's marks for what was taken out, as many as it has."""

SPECIAL: dict[str, dict[str, str]] = {
    "llama": {"bos_token": END, "eos_token": END, "pad_token": PAD},
    "gpt2": {"bos_token": END, "eos_token": END, "pad_token": PAD},
    "bert": {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"},
    "t5": {"pad_token": "<pad>", "eos_token": "</s>"},
}
"""The special tokens of each architecture, by their roles."""

AROUND = {"bert": ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1"), "t5": ("$A </s>", "$A </s> $B </s>")}
"""What a tokenizer puts around a text, and around two."""


def train_tokenizer(texts: Iterable[str], settings: Pretraining) -> PreTrainedTokenizerFast:
    """A byte-level BPE in which every Chinese character, every digit and every line break stands alone.

    A name that nobody has seen is then cut like any other, and a prompt's tokens do not depend on what follows.
    """
    roles = SPECIAL[settings.architecture]
    sentinels = SENTINELS if settings.architecture == "t5" else ()
    special = [*dict.fromkeys(roles.values()), *sentinels]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    if settings.vocabulary < len(special) + len(alphabet):
        raise IncompatibleError(
            f"a vocabulary of {settings.vocabulary} tokens has no room for the {len(alphabet)} bytes and the "
            f"{len(special)} special tokens of {settings.architecture}",
            remedy=f"give at least {len(special) + len(alphabet)}; 2048 and more serve well",
        )
    tokenizer = Tokenizer(models.BPE())
    alone = pre_tokenizers.Split(Regex(r"\n|\p{Han}|\p{N}"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [alone, pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocabulary,
        special_tokens=special,
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if settings.architecture in AROUND:
        single, pair = AROUND[settings.architecture]
        marks = [(mark, tokenizer.token_to_id(mark)) for mark in special if mark in single]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=single, pair=pair, special_tokens=marks
        )
    read = ["input_ids", "token_type_ids", "attention_mask"]
    options: dict[str, Any] = {
        **roles,
        **({"extra_special_tokens": list(sentinels)} if sentinels else {}),
        "model_input_names": read if settings.architecture == "bert" else [read[0], read[2]],
    }
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        model_max_length=settings.positions,
        clean_up_tokenization_spaces=False,
        **options,
    )


def read_tokenizer(folder: Path, architecture: str) -> PreTrainedTokenizerFast:
    """The tokenizer of a model folder.

    Raises:
        ModelError: there is none that can be read.
        IncompatibleError: it lacks what the architecture's objective needs.
    """
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # whatever transformers meets in a bad folder is the folder's fault
        raise ModelError(
            f"{folder}: no tokenizer that can be loaded ({type(error).__name__}: {error})",
            remedy="name a folder with a tokenizer.json, or leave --tokenizer out: one is trained on the data",
        ) from error
    if not tokenizer.is_fast:
        raise IncompatibleError(
            f"{folder}: a slow tokenizer", remedy="save it as a fast one (tokenizer.json)"
        )
    missing = [role for role in _needed(architecture) if getattr(tokenizer, role) is None]
    if architecture == "t5" and not _sentinels(tokenizer):
        missing.append(f"sentinel tokens ({SENTINELS[0]}, …)")
    if missing:
        raise IncompatibleError(
            f"{folder}: the tokenizer has no {', '.join(missing)}, which {architecture} needs",
            remedy="take a tokenizer of that family, or leave --tokenizer out: one is trained on the data",
        )
    fast: PreTrainedTokenizerFast = tokenizer
    return fast


def sentinel_ids(tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """The ids of the sentinel tokens, in the order in which spans are taken out."""
    known = tokenizer.get_vocab()
    return [known[token] for token in _sentinels(tokenizer)]


def _sentinels(tokenizer: Any) -> list[str]:
    known = tokenizer.get_vocab()
    return [token for token in SENTINELS if token in known]


def _needed(architecture: str) -> tuple[str, ...]:
    if architecture in ("llama", "gpt2"):
        return ("eos_token",)
    return tuple(SPECIAL[architecture])
