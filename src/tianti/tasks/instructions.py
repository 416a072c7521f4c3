"""The verifiable instructions of IFEval (Zhou et al. 2023): for each a check of whether a text follows it.

Written anew from the meaning of its 25 instructions; the tests compare them with those of lm-evaluation-harness, sample
by sample. Two checks need to know a language or where a sentence ends. There the original asks a guesser that draws
random numbers and a trained model; here short rules say it (`language_rules.py`), the same each time, so that
single samples can differ. A letter that is none of a–z is counted as it is; the original draws another at random.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tianti.tasks.language_rules import count_sentences, is_language

Arguments = Mapping[str, Any]
_ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_PUNCTUATION = re.compile(r"""[.,?!'"]""")


def _compare(count: int, relation: str, threshold: int) -> bool:
    return count < threshold if relation == "less than" else count >= threshold


def _occurrences(text: str, arguments: Arguments) -> bool:
    found = re.findall(arguments["keyword"], text, re.IGNORECASE)
    return _compare(len(found), arguments["relation"], arguments["frequency"])


def _letters(text: str, arguments: Arguments) -> bool:
    count = text.lower().count(arguments["letter"].lower())
    return _compare(count, arguments["let_relation"], arguments["let_frequency"])


def _capital_words(text: str, arguments: Arguments) -> bool:
    # A word with its hyphens and full stops between letters (U.S.A.) is one word, as in the Penn Treebank.
    words = re.findall(r"[^\W_]+(?:[-./&][^\W_]+)*", re.sub(r"(?<=\w)['’]\w+", "", text))
    return _compare(
        sum(word.isupper() for word in words), arguments["capital_relation"], arguments["capital_frequency"]
    )


def _paragraphs(text: str, arguments: Arguments) -> bool:
    """Parted by ***; nothing may stand before the first and behind the last mark, but not between two."""
    parts = [part.strip() for part in re.split(r"\s?\*\*\*\s?", text)]
    inner = parts[1:-1]
    return bool(all(inner) and sum(map(bool, parts)) == arguments["num_paragraphs"])


def _paragraph_start(text: str, arguments: Arguments) -> bool:
    """Parted by blank lines: how many there are, and how the n-th one begins."""
    parts = text.split("\n\n")
    count = sum(bool(part.strip()) for part in parts)
    number = arguments["nth_paragraph"]
    if number > count or not parts[number - 1].strip():
        return False
    word = parts[number - 1].split()[0].lstrip("'").lstrip('"')
    first = _PUNCTUATION.split(word)[0].lower()
    return bool(count == arguments["num_paragraphs"] and first == arguments["first_word"].lower())


def _postscript(text: str, arguments: Arguments) -> bool:
    marker = arguments["postscript_marker"].strip()
    patterns = {"P.P.S": r"p\.\s?p\.\s?s", "P.S.": r"p\.\s?s\."}
    return re.search(patterns.get(marker, marker.lower()), text.lower()) is not None


def _bullets(text: str, arguments: Arguments) -> bool:
    stars = re.findall(r"^\s*\*[^\*].*$", text, re.MULTILINE)
    dashes = re.findall(r"^\s*-.*$", text, re.MULTILINE)
    return bool(len(stars) + len(dashes) == arguments["num_bullets"])


def _highlights(text: str, arguments: Arguments) -> bool:
    """*one* or **one**, of which the second is also counted where its inner text stands between single stars."""
    single = [part for part in re.findall(r"\*[^\n\*]*\*", text) if part.strip("*").strip()]
    double = [part for part in re.findall(r"\*\*[^\n\*]*\*\*", text) if part[2:-2].strip()]
    return bool(len(single) + len(double) >= arguments["num_highlights"])


def _sections(text: str, arguments: Arguments) -> bool:
    marks = re.findall(r"\s?" + arguments["section_spliter"].strip() + r"\s?\d+\s?", text)
    return bool(len(marks) >= arguments["num_sections"])


def _json(text: str, _: Arguments) -> bool:
    text = text.strip()
    for fence in ("```json", "```Json", "```JSON", "```"):
        text = text.removeprefix(fence)
    try:
        json.loads(text.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def _title(text: str, _: Arguments) -> bool:
    return any(title.lstrip("<").rstrip(">").strip() for title in re.findall(r"<<[^\n]+>>", text))


def _two_responses(text: str, _: Arguments) -> bool:
    parts = [part.strip() for part in text.split("******")]
    answers = [part for part in parts if part]
    return all(parts[1:-1]) and len(answers) == 2 and answers[0] != answers[1]


def _ends_with(text: str, arguments: Arguments) -> bool:
    return text.strip().strip('"').lower().endswith(str(arguments["end_phrase"]).strip().lower())


def _repeats(text: str, arguments: Arguments) -> bool:
    return text.strip().lower().startswith(str(arguments["prompt_to_repeat"]).strip().lower())


def _quoted(text: str, _: Arguments) -> bool:
    text = text.strip()
    return len(text) > 1 and text[0] == text[-1] == '"'


INSTRUCTIONS: Mapping[str, Callable[[str, Arguments], bool]] = {
    "keywords:existence": lambda text, given: all(
        re.search(word, text, re.IGNORECASE) for word in given["keywords"]
    ),
    "keywords:frequency": _occurrences,
    "keywords:forbidden_words": lambda text, given: (
        not any(re.search(rf"\b{word}\b", text, re.IGNORECASE) for word in given["forbidden_words"])
    ),
    "keywords:letter_frequency": _letters,
    "language:response_language": lambda text, given: is_language(text, given["language"]),
    "length_constraints:number_sentences": lambda text, given: _compare(
        count_sentences(text), given["relation"], given["num_sentences"]
    ),
    "length_constraints:number_paragraphs": _paragraphs,
    "length_constraints:number_words": lambda text, given: _compare(
        len(re.findall(r"\w+", text)), given["relation"], given["num_words"]
    ),
    "length_constraints:nth_paragraph_first_word": _paragraph_start,
    "detectable_content:number_placeholders": lambda text, given: (
        len(re.findall(r"\[.*?\]", text)) >= given["num_placeholders"]
    ),
    "detectable_content:postscript": _postscript,
    "detectable_format:number_bullet_lists": _bullets,
    "detectable_format:constrained_response": lambda text, _: any(answer in text for answer in _ANSWERS),
    "detectable_format:number_highlighted_sections": _highlights,
    "detectable_format:multiple_sections": _sections,
    "detectable_format:json_format": _json,
    "detectable_format:title": _title,
    "combination:two_responses": _two_responses,
    "combination:repeat_prompt": _repeats,
    "startend:end_checker": _ends_with,
    "startend:quotation": _quoted,
    "change_case:capital_word_frequency": _capital_words,
    "change_case:english_capital": lambda text, _: text.isupper() and is_language(text, "en"),
    "change_case:english_lowercase": lambda text, _: text.islower() and is_language(text, "en"),
    "punctuation:no_comma": lambda text, _: "," not in text,
}
"""Each instruction by its id: whether a text follows it, given its arguments."""
