"""The built-in nano world: a little town in parallel English and Chinese, told and asked about."""

from tianti.tasks.nano.samples import KINDS, LANGUAGES, PUBLIC_SEED, samples
from tianti.tasks.nano.text import PRIMER, documents
from tianti.tasks.nano.world import SPLITS

__all__ = ["KINDS", "LANGUAGES", "PRIMER", "PUBLIC_SEED", "SPLITS", "documents", "samples"]
