"""The models that have no network: baselines that `adapt/fit.py` fits on a training split."""

from __future__ import annotations

from tianti.core.fingerprint import fingerprint
from tianti.models.model import Model

BASELINES = {
    "majority": "the most common label, place of the right choice, or answer text of the training split",
    "tfidf": "TF-IDF of word or character n-grams with logistic regression (scikit-learn)",
}
VERSION = 1
"""Goes up when a baseline would answer otherwise after the same training split."""


def open_baseline(name: str) -> Model:
    """The baseline `name`, one of `BASELINES`."""
    return Model(
        name=f"baseline:{name}",
        source="baseline",
        architecture="baseline",
        fingerprint=fingerprint({"baseline": name, "version": VERSION}),
    )
