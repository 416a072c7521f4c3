"""Prompts that share what stands before: one prefix under many branches, inside another, twice, cut off on the left."""

from __future__ import annotations

from typing import Any

import torch

from parity.families import POSITIONS
from tiny import tiny_tokenizer

SHOT = "Question: Where does Anna work? Answer: in the mill.\n\n"
SHOTS = SHOT + "Question: What does Ben read? Answer: letters.\n\n"
QUESTIONS = (
    SHOTS + "Question: Which one is right? Answer:",
    SHOTS + "Question: Which film is dull? Answer:",
    SHOT + "Question: Where is the town? Answer:",
    "The little town lies by",
    "安娜在老磨坊里",
)
LETTERS = (" A", " B", " C", " D")
TEXTS = (" in the mill", " in the mill by the river", " in the old shop", " letters", "小镇 🙂")
OPENINGS = (*QUESTIONS, "A", "the town", "def add(a", "Ben reads", "这部电影", "bread")
LONG = SHOTS * 3


def family_tokenizer() -> Any:
    made = tiny_tokenizer()
    # Networks without positions of their own (alibi, recurrence) read as much as the tokenizer says.
    made.model_max_length = POSITIONS
    return made


def pairs() -> list[tuple[str, str]]:
    """Contexts and continuations."""
    asked = [(question, letter) for question in QUESTIONS for letter in LETTERS]
    asked += [(question, text) for question in QUESTIONS for text in TEXTS]
    # One request's tokens are where another's begin, or the same tokens split elsewhere.
    asked += [(SHOT, "Question: What"), (SHOT + "Question:", " What"), (SHOTS, "Question:")]
    asked += [
        (QUESTIONS[2] + " in the mill", " by the river"),
        (QUESTIONS[2] + " in the", " mill by the river"),
    ]
    asked += [
        asked[0],
        asked[21],
        (QUESTIONS[3], " the river. Anna bakes bread in the old mill, and Ben reads"),
    ]
    asked += [("", "A"), ("", " the town"), ("", "<s>a town"), ("", LONG[:40])]
    asked += [(LONG + question, text) for question in QUESTIONS[:2] for text in (*LETTERS[:2], *TEXTS[:2])]
    asked += [(LONG * 2, TEXTS[0]), (LONG[7:], TEXTS[0])]
    # The longest texts that are not cut, with everything or almost nothing scored.
    asked += [("", " the" * POSITIONS), (" the", " the" * (POSITIONS - 1)), (" the" * POSITIONS, " the")]
    return asked


def likeliest(network: Any, contexts: tuple[str, ...], most: int = 3) -> list[tuple[str, str]]:
    """Pairs whose continuation the network itself would write, where the tokenizer reads back what it wrote."""
    encode = family_tokenizer().encode
    found = []
    for context in contexts:
        tokens = written = encode(context)
        for _ in range(most):
            with torch.no_grad():
                written = [*written, int(network(torch.tensor([written])).logits[0, -1].argmax())]
            continuation = family_tokenizer().decode(written[len(tokens) :])
            if continuation.strip() and encode(context + continuation) == written:
                found.append((context, continuation))
    return found


def rolling_texts() -> list[str]:
    """Texts of one window, of exactly one, of one and a token, and of several."""
    return ["A", SHOTS, " the" * POSITIONS, " the" * (POSITIONS + 1), LONG * 2, LONG + "小镇 🙂", SHOTS]


def contexts() -> list[str]:
    """What to go on from: short and long, two the same, two that are cut."""
    return [*QUESTIONS, "A", LONG, QUESTIONS[0], LONG + QUESTIONS[1]]
