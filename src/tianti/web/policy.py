"""What a browser is told to forbid: anything that is not of the site itself."""

from __future__ import annotations

import re
from collections.abc import Mapping

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'"
)
"""The content security policy, in the pages themselves and in the headers."""

OURS = "frame-ancestors 'self'"
ANYBODY = "frame-ancestors *"

HEADERS = {
    # Who may frame a page can be said in a header only.
    "content-security-policy": f"{POLICY}; {OURS}",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""Of every response of the live site, but those below."""

EMBEDDED = HEADERS | {"content-security-policy": f"{POLICY}; {ANYBODY}"}
"""Of what other sites may show in a frame."""

_EMBED = re.compile(r"/[a-z]+/embed/b/[^/]+/")


def headers_of(path: str) -> Mapping[str, str]:
    """The headers of what lies at a path of the site (`/en/embed/b/all/`): any site may frame what is made for it."""
    return EMBEDDED if _EMBED.fullmatch(path) else HEADERS
