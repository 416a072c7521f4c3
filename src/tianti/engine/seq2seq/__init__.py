"""Encoder–decoder models."""
