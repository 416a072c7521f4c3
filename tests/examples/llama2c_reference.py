"""llama2.c's forward pass in plain numpy, from the file alone: slow, and independent of what it is compared with."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np


def forward(path: Path, tokens: list[int]) -> Any:
    """Logits [tokens, vocabulary] of a model with a shared output head."""
    content = path.read_bytes()
    dim, hidden, layers, heads, kv_heads, vocabulary, context = struct.unpack("<7i", content[:28])
    width, kv_dim = dim // heads, dim // heads * kv_heads
    numbers = np.frombuffer(content[28:], "<f4").astype(np.float64)
    taken = 0

    def take(*size: int) -> Any:
        nonlocal taken
        count = int(np.prod(size))
        taken += count
        return numbers[taken - count : taken].reshape(size)

    embedding, norm1 = take(vocabulary, dim), take(layers, dim)
    wq, wk, wv = take(layers, dim, dim), take(layers, kv_dim, dim), take(layers, kv_dim, dim)
    wo, norm2 = take(layers, dim, dim), take(layers, dim)
    w1, w2, w3 = take(layers, hidden, dim), take(layers, dim, hidden), take(layers, hidden, dim)
    norm, cosine, sine = take(dim), take(context, width // 2), take(context, width // 2)

    def normalise(x: Any, weight: Any) -> Any:
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weight

    def rotate(x: Any) -> Any:
        """Neighbouring dimensions are the real and imaginary part of a complex number."""
        turned = (x[..., 0::2] + 1j * x[..., 1::2]) * (cosine + 1j * sine)[: len(tokens), None]
        return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape)

    x = embedding[tokens]
    hidden_future = np.triu(np.full((len(tokens), len(tokens)), -np.inf), 1)
    for layer in range(layers):
        read = normalise(x, norm1[layer])
        query = rotate((read @ wq[layer].T).reshape(len(tokens), heads, width))
        key = rotate((read @ wk[layer].T).reshape(len(tokens), kv_heads, width))
        value = (read @ wv[layer].T).reshape(len(tokens), kv_heads, width)
        seen = []
        for head in range(heads):
            group = head * kv_heads // heads
            scores = query[:, head] @ key[:, group].T / np.sqrt(width) + hidden_future
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            seen.append(weights / weights.sum(-1, keepdims=True) @ value[:, group])
        x = x + np.concatenate(seen, axis=-1) @ wo[layer].T
        read = normalise(x, norm2[layer])
        gate = read @ w1[layer].T
        x = x + (gate / (1 + np.exp(-gate)) * (read @ w3[layer].T)) @ w2[layer].T
    return normalise(x, norm) @ embedding.T
