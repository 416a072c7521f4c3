"""The committed order in which the items of a bank are asked, the same for all entries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tianti.core.exceptions import InputError
from tianti.core.fingerprint import fingerprint

BankItem = tuple[str, str]
"""A task's key and the item's id within it."""


@dataclass(frozen=True)
class Order:
    """All items of a bank in the order in which they are asked; `sha256` is published before any is asked."""

    seed: int
    items: tuple[BankItem, ...]

    @property
    def sha256(self) -> str:
        return fingerprint([list(item) for item in self.items])

    @property
    def sizes(self) -> dict[str, int]:
        """How many items each task has, in the order of the tasks' names."""
        sizes: dict[str, int] = {}
        for task, _ in self.items:
            sizes[task] = sizes.get(task, 0) + 1
        return dict(sorted(sizes.items()))


def committed_order(bank: Mapping[str, Sequence[str]], seed: int = 0) -> Order:
    """The items of all tasks in one random order, each by `place_key`: uniform, as sha256 is as good as random.

    Whoever knows seed and items can compute it, with any software; it depends on nothing else, not on the order of
    the data.

    Args:
        bank: the ids of each task's items.

    Raises:
        InputError: there are no items, or a task has two of one id.
    """
    items = [(task, item) for task, ids in bank.items() for item in ids]
    if not items:
        raise InputError("a bank without items has no order", remedy="give a task that has items")
    if len(set(items)) != len(items):
        task, item = next(each for each in items if items.count(each) > 1)
        raise InputError(f"{task}: two items have the id {item!r}", remedy="give each item its own id")
    return Order(seed, tuple(sorted(items, key=lambda item: place_key(seed, *item))))


def place_key(seed: int, task: str, item: str) -> str:
    """What the order sorts by: the sha256 (64 hex digits) of seed, task and item."""
    return hashlib.sha256(f"{seed}\x1f{task}\x1f{item}".encode("utf-8", "surrogatepass")).hexdigest()
