"""Every message that the pages say, read from the templates, the scripts and the tables of tianti.web.words."""

from __future__ import annotations

from importlib.resources import files
from io import BytesIO

from babel.messages.extract import extract

from tianti.web.words import TABLES

WEB = files("tianti.web")
TEMPLATES = sorted((WEB / "templates").iterdir(), key=lambda path: path.name)
SCRIPTS = sorted(
    (path for path in (WEB / "static").rglob("*.js") if "vendor" not in path.parts),
    key=lambda path: path.name,
)


def said() -> set[str]:
    """All messages. `t("…")` says one, and so does `words[language]("…")`."""
    found = {text for table in TABLES.values() for text in table.values()} | {"English"}
    for method, paths in (("jinja2.ext:babel_extract", TEMPLATES), ("javascript", SCRIPTS)):
        for path in paths:
            messages = extract(method, BytesIO(path.read_bytes()), keywords={"t": None})
            found.update(str(message) for _, message, _, _ in messages)
    return found
