"""Secrets in reports: shown by their first characters, never whole."""

from __future__ import annotations

import re

_QUOTED = re.compile(r"""(["'`])(?!\1)(.+?)\1""")
_SHOWN = 4
_LONG_ENOUGH = 20  # of a shorter secret even four characters would give away too much


def mask(secret: str) -> str:
    """`AKIA…` for a long secret: enough to tell which one it is. A short one is all stars."""
    if not secret:
        return ""
    return f"{secret[:_SHOWN]}****" if len(secret) >= _LONG_ENOUGH else "****"


def mask_in(text: str, secret: str) -> str:
    """The text with every occurrence of the secret masked."""
    return text.replace(secret, mask(secret)) if len(secret) >= _SHOWN else text


def mask_quoted(text: str) -> str:
    """The text with everything in quotes masked: "Possible hardcoded password: '****'"."""
    return _QUOTED.sub(lambda found: f"{found[1]}****{found[1]}", text)
