"""Which language a text is in, and how many sentences it has, by short rules that say the same each time.

A language is known by its script; languages that share one by the words without which no text of theirs gets along.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_SCRIPTS = {
    "LATIN": ("en", "de", "fr", "es", "it", "pt", "nl", "vi", "fi", "sw", "sv", "id", "tr", "pl"),
    "CYRILLIC": ("ru", "bg", "uk"),
    "ARABIC": ("ar", "fa", "ur"),
    "DEVANAGARI": ("hi", "mr", "ne"),
    "BENGALI": ("bn",),
    "GURMUKHI": ("pa",),
    "GUJARATI": ("gu",),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "KANNADA": ("kn",),
    "MALAYALAM": ("ml",),
    "THAI": ("th",),
    "HANGUL": ("ko",),
    "GREEK": ("el",),
    "HEBREW": ("he",),
    "CJK": ("zh", "ja"),
    "HIRAGANA": ("ja",),
    "KATAKANA": ("ja",),
}
_COMMON_WORDS = {
    "en": "the of and to in is that it for you with on as are this be have not or from by but we your a an was all i",
    "de": "der die das und ist nicht ein eine zu den mit von auf für im dem ich sie es sich auch als wie wir",
    "fr": "le la les de des et est un une du que en pour dans ne pas qui sur au vous je il nous avec ce",
    "es": "el la los las de que y en un una es por con para no se del al lo como más pero su yo",
    "it": "il lo la gli le di che e è un una per con non in del della sono si da al come ma più",
    "pt": "o a os as de que e em um uma é para com não do da no na se por mais como eu seu ao",
    "nl": "de het een en van is dat in niet op te zijn met voor ik je aan er om ook als maar",
    "vi": "và của là không có được cho một các những trong tôi bạn với người này để khi đã từ",
    "fi": "ja on ei se että en hän ole oli mutta kun niin tai myös minä sinä joka ovat voi kuin",
    "sw": "na ya wa kwa ni katika za la kama hii cha yake kuwa lakini hiyo pia sana yangu au vya",
    "sv": "och det att i en jag som är på för av inte den med till har de ett om men",
    "id": "yang dan di dengan untuk dari ini itu tidak dalam pada akan saya anda adalah ke juga atau",
    "tr": "ve bir bu için de da ile çok ne ama daha ben olarak gibi kadar var değil en",
    "pl": "i w na nie się że to jest z do jak ale o za po od przez dla tak",
    "ru": "и в не на что я с он как это по но из у за вы так от к для мы они или было",
    "bg": "и на да се от за не са по с ще във като със това или няма който има до беше съм",
    "uk": "і в не на що я з він як це у до та але за від ви є для ми й про",
    "ar": "في من على إلى أن هذا هذه التي الذي عن مع لا ما كان هو هي أو كل و",
    "fa": "و در به از که این را با است برای آن یک می های تا خود بر هم شود شما ما",
    "ur": "کے کی میں اور ہے سے کا کو نے پر ہیں یہ کہ اس ایک بھی نہیں تو آپ وہ",
    "hi": "के है में की और से को का हैं यह पर एक कि नहीं ने भी हम आप तो इस लिए",
    "mr": "आहे आणि च्या मध्ये या तो हे ते आहेत एक नाही करण्यासाठी मी तुम्ही साठी की होते त्या",
    "ne": "छ र को मा हो का लागि यो छन् गर्न पनि एक हुन् यस ले तपाईं भएको तर हामी",
    "zh": "",
    "ja": "",
}
_ABBREVIATIONS = frozenset(
    (
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "vs",
        "etc",
        "e.g",
        "i.e",
        "vol",
        "fig",
        "jr",
        "sr",
        "inc",
        "ltd",
        "co",
    )
) | frozenset(("u.s", "u.k", "a.m", "p.m"))


def is_language(text: str, language: str) -> bool:
    """Whether `text` is in the language of this ISO 639-1 code; a text without letters is in any."""
    found = detect_language(text)
    return found is None or found == language


def detect_language(text: str) -> str | None:
    """The ISO 639-1 code of the language; None where there is not one letter, `und` where no rule knows it."""
    scripts = Counter(filter(None, map(_script, text)))
    if not scripts:
        return None
    script = scripts.most_common(1)[0][0]
    if script == "CJK" and scripts["HIRAGANA"] + scripts["KATAKANA"] > scripts["CJK"] / 10:
        return "ja"
    languages = _SCRIPTS.get(script, ("und",))
    words = Counter(re.findall(r"[^\W\d_]\w*(?:[\u0900-\u0903\u093a-\u094f]\w*)*", text.lower()))
    # Of equals the first: without one of the common words a Latin text counts as English.
    return max(languages, key=lambda code: sum(words[word] for word in _COMMON_WORDS.get(code, "").split()))


def _script(character: str) -> str | None:
    if not character.isalpha():
        return None
    return unicodedata.name(character, "").split(" ")[0].split("-")[0]


def count_sentences(text: str) -> int:
    """Runs of text up to . ! or ? before a space and anything but a small letter, or up to the text's end."""
    text = text.strip()
    ends = re.finditer(r"[.!?]+[\"'”’)\]*]*\s+(?=[^\sa-z])", text)
    return bool(text) + sum(not _abbreviated(text[: end.start()], end.group()) for end in ends)


def _abbreviated(before: str, mark: str) -> bool:
    """Whether the full stop belongs to the word before it: Dr., an initial, or the number of a list."""
    word = re.search(r"(\S*)$", before)
    last = (word.group(1) if word else "").lstrip("(\"'“*")
    return mark[0] == "." and (last.lower() in _ABBREVIATIONS or re.fullmatch(r"[A-Z]|\d+", last) is not None)
