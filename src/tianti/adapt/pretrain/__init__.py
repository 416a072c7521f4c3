"""Pre-training from nothing: a tokenizer, then a small network, on the text of the nano world or on files."""

from tianti.adapt.pretrain.card import Card
from tianti.adapt.pretrain.corpus import Corpus, FileCorpus, NanoCorpus, open_corpus
from tianti.adapt.pretrain.making import make_tokenizer, pretrain
from tianti.adapt.pretrain.settings import ARCHITECTURES, SIZES, Pretraining, default_rate, parse_size

__all__ = [
    "ARCHITECTURES",
    "SIZES",
    "Card",
    "Corpus",
    "FileCorpus",
    "NanoCorpus",
    "Pretraining",
    "default_rate",
    "make_tokenizer",
    "open_corpus",
    "parse_size",
    "pretrain",
]
