"""What a browser is told to forbid: anything that is not of the site itself."""

from __future__ import annotations

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'"
)
"""The content security policy, in the pages themselves and in the headers."""

HEADERS = {
    # Who may frame a page can be said in a header only.
    "content-security-policy": f"{POLICY}; frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""Of every response of the live site."""
