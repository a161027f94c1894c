"""Secrets in reports: shown by their first characters, never whole."""

from __future__ import annotations

import re
from typing import Any

from findings.formats.credentials import (
    is_one_credential,
    looks_like_a_hash,
    looks_random,
    mask,
    mask_credentials,
    mask_random,
)

_ASSIGNED = re.compile(
    r"""(?P<name>(?:passw(?:or)?d|passphrase|secret|token|credential|(?:api|access|private)[_-]?key)
    [\w.-]{0,50}["'\]]{0,2}\s{0,20}(?::=|=>|=|:)\s{0,20})
    (?:(?P<quote>["'`])(?P<quoted>.+?)(?P=quote)|(?P<bare>[^\s"'`(){}\[\],;]{8,})
    (?=[\s"'`)}\],;]|\Z))""",
    re.IGNORECASE | re.VERBOSE,
)
_QUOTED = re.compile(r"""(["'`])(?!\1)(.+?)\1""")
_WORD = re.compile(r"""[^\s"'`=:,;(){}\[\]]{10,}""")
_FIELD = re.compile(r"\s{0,20}:")
_SEARCHED = 4_000  # characters of code: what a scanner quotes is a line or a few
_SHORTEST = 4


def mask_in(text: str, secret: str) -> str:
    """The text with every occurrence of the secret masked."""
    return text.replace(secret, mask(secret)) if len(secret) >= _SHORTEST else text


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
    """The code with what looks like a credential masked: known shapes of tokens, what is
    assigned to a name like `password`, and words that look random, hashes aside. The rest of a
    line tells enough."""
    code = _ASSIGNED.sub(_masked_assignment, mask_credentials(code))
    return mask_random(code, keeps=looks_like_a_hash)


def _masked_assignment(found: re.Match[str]) -> str:
    quote = found["quote"] or ""
    return f"{found['name']}{quote}****{quote}"


def masked_within(value: Any, *secrets: str) -> Any:
    """The value of a report with the secrets masked wherever it quotes them.

    Names of fields stay: a secret may be a word like "Date".
    """
    if isinstance(value, str):
        for secret in sorted(secrets, key=len, reverse=True):  # no part of a longer one stays
            value = mask_in(value, secret)
        return value
    if isinstance(value, dict):
        return {key: masked_within(item, *secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [masked_within(item, *secrets) for item in value]
    return value


def secrets_in(code: str) -> list[str]:
    """What of the code that was matched is surely the secret: all of it where it is one word,
    and its words that look random."""
    code = code[:_SEARCHED]
    whole = code.strip().strip("\"'`;,")
    found = [word for word in _WORD.findall(code) if looks_random(word)]
    is_phrase = len(whole) < _WHOLE or bool(set(whole) & _PHRASE)
    is_whole = is_one_credential(code) or not (is_phrase or set(whole).isdisjoint(_DIGITS))
    return [whole, *found] if is_whole else found


_WHOLE = 8  # characters of a word that alone was matched
_DIGITS = frozenset("0123456789")
_PHRASE = frozenset(" \t\n(){}[]=")
