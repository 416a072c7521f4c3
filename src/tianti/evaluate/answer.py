"""Moved."""

from tianti.evaluation.answer import Answer as Answer
