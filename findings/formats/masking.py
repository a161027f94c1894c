"""Secrets in reports: shown by their first characters, never whole."""

from __future__ import annotations

import re

_ASSIGNED = re.compile(
    r"""(?P<name>(?:passw(?:or)?d|passphrase|secret|token|credential|(?:api|access|private)[_-]?key)
    [\w.-]{0,50}["'\]]{0,2}\s{0,20}(?::=|=>|=|:)\s{0,20})
    (?:(?P<quote>["'`])(?P<quoted>.+?)(?P=quote)|(?P<bare>[^\s"'`(){}\[\],;]{8,})
    (?=[\s"'`)}\],;]|\Z))""",
    re.IGNORECASE | re.VERBOSE,
)
_SHAPES = re.compile(
    r"\b(?:A[KS]IA[0-9A-Z]{16}|gh[opsur]_\w{36,}|github_pat_\w{22,}|glpat-[\w-]{20,}"
    r"|xox[abeprs]-[\w-]{10,}|[rs]k_live_\w{10,}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?)"
)
_PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----).*?(?=-----END|\Z)", re.DOTALL)
_QUOTED = re.compile(r"""(["'`])(?!\1)(.+?)\1""")
_WORD = re.compile(r"""[^\s"'`=:,;(){}\[\]]{10,}""")
_FIELD = re.compile(r"\s{0,20}:")
_SEARCHED = 4_000  # characters of code: what a scanner quotes is a line or a few
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


def mask_from(text: str, code: str) -> str:
    """The text of a message about code that holds a secret, without what may be it.

    Masked are the code itself, each of its quoted literals (names of fields aside), its long words
    with digits or signs, and what the text quotes: some tools put the secret into their message.
    """
    code = code[:_SEARCHED]
    text = mask_in(text, code)
    quoted = _QUOTED.finditer(code)
    literals = [each[2] for each in quoted if not _FIELD.match(code, each.end())]
    literals += [word for word in _WORD.findall(code) if not word.isalpha()]
    for literal in sorted(literals, key=len, reverse=True):
        text = mask_in(text, literal)
    return mask_quoted(text)


def mask_quoted(text: str) -> str:
    """The text with everything in quotes masked: "Possible hardcoded password: '****'"."""
    return _QUOTED.sub(lambda found: f"{found[1]}****{found[1]}", text)


def mask_assigned(code: str) -> str:
    """The code with what looks like a credential masked: known shapes of tokens, and what is
    assigned to a name like `password`. The rest of a line tells enough."""
    code = _PRIVATE_KEY.sub(r"\1****", code)
    code = _SHAPES.sub(lambda found: mask(found[0]), code)
    return _ASSIGNED.sub(_masked_assignment, code)


def _masked_assignment(found: re.Match[str]) -> str:
    quote = found["quote"] or ""
    return f"{found['name']}{quote}****{quote}"
