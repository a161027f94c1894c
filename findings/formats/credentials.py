"""What in a text is a credential, by its own shape: the one mask that every finding passes.

`mask_credentials` knows tokens of known shape, passwords in addresses and headers, and what a
field named like `password` is set to. `mask_random` masks words that look random as well; it is
for findings about credentials, where a word that looks random most likely is one. Hashes,
identifiers, versions and paths are words of ordinary findings, and stay there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

_STARS = "****"
_SHORTEST = 10  # "pwd=" or "cookie:a=" and a value; an address with a password has an @
_SHOWN = 4
_LONG_ENOUGH = 20  # of a shorter secret even four characters would give away too much

_SHAPES = re.compile(
    r"(?<![A-Za-z0-9])(?:A(?:KI|SI|BI|CC)A[0-9A-Z]{16}"  # AWS
    r"|gh[opsur]_\w{36,}|github_pat_\w{22,}"
    r"|gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|oas|imt)-[\w-]{20,}|GR1348941[\w-]{20,}"
    r"|xox[abeprs]-[\w-]{10,}|xapp-\d-[\w-]{10,}"  # Slack
    r"|[rs]k_(?:live|test)_\w{10,}|whsec_\w{16,}"  # Stripe
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}"  # Google
    r"|npm_\w{36}|pypi-[\w-]{50,}|dckr_pat_[\w-]{20,}|hf_\w{30,}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|SK[0-9a-f]{32}|key-[0-9a-f]{32}"  # SendGrid, Twilio, Mailgun
    r"|sk-(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{20,}"  # OpenAI, Anthropic
    r"|do[opr]_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|dapi[0-9a-f]{32}"
    r"|hv[sbr]\.[\w-]{20,}|lin_api_\w{40}|PMAK-[0-9a-f-]{59}|ATATT3[\w=-]{50,}"
    r"|NRAK-[0-9A-Z]{27}|gl(?:sa|c)_[\w=+/]{32,}|sntr[yu]s_[\w=+/]{32,}|pscale_\w{2,10}_[\w.-]{30,}"
    r"|AGE-SECRET-KEY-1[0-9A-Z]{58}|\d{8,10}:AA[\w-]{33}"  # age, Telegram
    r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?)"  # a JSON Web Token
)
_PRIVATE_KEY = re.compile(
    r"(-----BEGIN [A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----).*?(?=-----END|\Z)", re.DOTALL
)
_IN_ADDRESS = re.compile(r"(://[^\s/@:\"'<>`]{0,200}:)([^\s/@\"'<>`]{1,500})@")
_DIGEST = re.compile(r"sha\d{3}:")  # docker://nginx:1.25@sha256:…: no password
_SLACK_HOOK = re.compile(r"(hooks\.slack\.com/services/)[\w/-]{20,}")
_HEADER = re.compile(
    r"((?:authorization|x-api-key|x-auth-token)[\"']?:\s{0,5}[\"']?"
    r"(?:(?:bearer|basic|digest|token|negotiate)\s+)?"
    r"|\bbearer\s+(?=[\w.~+/=-]{16}))[^\s\"',;]{8,}",
    re.IGNORECASE,
)
_COOKIE = re.compile(r"((?:set-)?cookie:\s{0,5})([^\r\n]+)", re.IGNORECASE)
_COOKIE_VALUE = re.compile(r"((?:^|;\s{0,5})(?!path=|domain=|expires=|max-age=|samesite=)"
                           r"[^=;\s]{1,100}=)([^;\s]+)", re.IGNORECASE)  # fmt: skip
_CALLED = (
    r"passw(?:or)?d|passphrase|pwd|secret|token|credential"
    r"|(?:api|access|private|account|auth|encryption|signing)[ _-]?key"
)
_ASSIGNED = re.compile(
    rf"""(?P<name>(?:{_CALLED})[\w.-]{{0,50}}["'`\]]{{0,2}}\s{{0,5}}(?::=|=>|=|:)\s{{0,5}})
    (?P<quote>["'`]?)(?P<value>[^\s"'`(){{}}\[\],;<>&|]{{6,500}})""",
    re.IGNORECASE | re.VERBOSE,
)
_NAMED = re.compile(rf"(?:{_CALLED})s?(?:[_-]?(?:value|id))?$", re.IGNORECASE)
_NAMED_IN_LINE = re.compile(_NAMED.pattern, re.IGNORECASE | re.MULTILINE)
_PLACEHOLDER = re.compile(r"[$%*@/\\.]|https?:|v?\d+\.\d+|[\^~<>=]|xxx|\*\*", re.IGNORECASE)

# What each mask needs to find anything, cheap to look for: most texts hold none of it.
_TOKEN_MARKS = re.compile(
    r"A[KS]IA|ABIA|ACCA|gh[opsur]_|hub_pat_|gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|oas|imt)-"
    r"|gl(?:sa|c)_|GR1348941|xox|xapp-|k_(?:live|test)_|whsec_|AIza|ya29\.|GOCSPX-|npm_|pypi-"
    r"|dckr_pat_|hf_|SG\.|SK|key-|sk-|_v1_|shp(?:at|ca|pa|ss)_|dapi|hv[sbr]\.|lin_api_|PMAK-"
    r"|ATATT3|NRAK-|sntr|pscale_|AGE-SECRET|AA|eyJ|hooks\.slack\.com"
)  # one search: of a few words it takes a third of looking for each
_LONG_WORD = re.compile(r"[A-Za-z0-9_.-]{15,}")
_KEY_MARKS = (
    "apikey", "_key", " key", "-key", "accesskey", "privatekey", "accountkey", "authkey",
    "encryptionkey", "signingkey",
)  # fmt: skip
_SET = re.compile(rf"(?:{_CALLED})[\w.-]{{0,50}}[\"'`\]]{{0,2}}\s{{0,5}}[:=]")

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_HASH = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})",
                   re.IGNORECASE)  # fmt: skip
_PIECES = re.compile(r"[^A-Za-z0-9]+")
_RUNS = re.compile(r"[0-9]+|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]")
_URL_OR_WORD = re.compile(r"https?://\S+|[A-Za-z0-9][A-Za-z0-9_+/=.~-]{11,}")


def mask(secret: str) -> str:
    """`AKIA…` for a long secret: enough to tell which one it is. A short one is all stars."""
    if not secret:
        return ""
    return secret[:_SHOWN] + _STARS if len(secret) >= _LONG_ENOUGH else _STARS


def may_hold_credentials(text: str) -> bool:
    """False where `mask_credentials` would surely change nothing, also of texts that are in
    lines of this one: a tenth of its cost."""
    lower = text.lower()
    return (
        _may_hold_token(text)
        or ("@" in text and bool(_IN_ADDRESS.search(text)))
        or _may_be_header(lower)
        or _may_set(lower)
    )


def may_name_credentials(names: str) -> bool:
    """False where in no line is the name of a field for secrets, or a credential."""
    return bool(_NAMED_IN_LINE.search(names)) or may_hold_credentials(names)


def _may_hold_token(text: str) -> bool:
    long = " ".join(_LONG_WORD.findall(text))  # a fourth of most texts
    return bool(_TOKEN_MARKS.search(long)) or "PRIVATE KEY" in text


def _may_be_header(lower: str) -> bool:
    return (  # in a loop they cost twice as much, and every text passes here
        "authorization" in lower
        or "bearer" in lower
        or "cookie" in lower
        or "x-api-key" in lower
        or "x-auth-token" in lower
    )


def _may_set(lower: str) -> bool:
    """Whether something is set to a value that has the name of a secret."""
    is_marked = (
        "passw" in lower
        or "passphrase" in lower
        or "pwd" in lower
        or "secret" in lower
        or "token" in lower
        or "credential" in lower
        or ("key" in lower and any(map(lower.__contains__, _KEY_MARKS)))
    )
    return is_marked and bool(_SET.search(lower))


def mask_credentials(text: str) -> str:
    """The text without what is a credential whatever stands around it."""
    if len(text) < _SHORTEST and "@" not in text:  # most tags and names of fields
        return text
    if _may_hold_token(text):
        text = _SLACK_HOOK.sub(r"\1****", mask_shapes(text))
    if "@" in text:
        text = _IN_ADDRESS.sub(_masked_address, text)
    lower = text.lower()
    if _may_be_header(lower):
        text = _HEADER.sub(r"\1****", text)
        text = _COOKIE.sub(lambda found: found[1] + _COOKIE_VALUE.sub(_hidden, found[2]), text)
    return _ASSIGNED.sub(_masked_value, text) if _may_set(lower) else text


def mask_shapes(text: str) -> str:
    """The text without private keys and tokens of known shape."""
    text = _PRIVATE_KEY.sub(r"\1****", text)
    return _SHAPES.sub(lambda found: mask(found[0]), text)


def _masked_address(found: re.Match[str]) -> str:
    is_digest = _DIGEST.match(found.string, found.end())
    return found[0] if is_digest else f"{_hidden(found)}@"


def _hidden(found: re.Match[str]) -> str:
    return found[1] + _STARS[: len(found[2])]  # a text never gets longer by its mask


def _masked_value(found: re.Match[str]) -> str:
    return f"{found['name']}{found['quote']}****" if looks_chosen(found["value"]) else found[0]


def looks_chosen(value: str) -> bool:
    """Whether the value of a field for secrets is one: no placeholder, version, path or name."""
    if len(value) < 6 or _PLACEHOLDER.match(value) or _UUID.fullmatch(value):
        return False
    pieces = [piece for piece in _PIECES.split(value) if piece]
    mixed = [piece for piece in pieces if not (piece.isalpha() or piece.isdigit())]
    return bool(mixed) and (looks_random(value) or value.count("/") < 2)


def looks_random(word: str) -> bool:
    """Whether nobody wrote the word: a piece of it changes again and again between digits,
    capitals and small letters. A hash does, a UUID counts as a name."""
    if _UUID.search(word) or not any(map(str.isdigit, word)):
        return False
    return any(map(_is_random, _PIECES.split(word)))


def _is_random(piece: str) -> bool:
    if len(piece) < 12 or piece.isdigit():
        return False
    runs = _RUNS.findall(piece)
    numbers = sum(run.isdigit() for run in runs)
    return len(piece) < (3.5 if numbers > 1 else 2.8) * len(runs)


def looks_like_a_hash(word: str) -> bool:
    return bool(_HASH.fullmatch(word))


def is_one_credential(text: str) -> bool:
    """Whether the text is a token and nothing else."""
    text = text.strip().strip("\"'`;,")
    if len(text) < 12 or any(map(str.isspace, text)):
        return bool(_PRIVATE_KEY.match(text))
    is_known = bool(_SHAPES.fullmatch(text))
    return is_known or (looks_random(text) and not looks_like_a_hash(text) and "://" not in text)


def mask_random(text: str, *, keeps: Callable[[str], bool] = lambda _: False) -> str:
    """The text without words that look random, addresses aside, and those that `keeps` names."""

    def masked(found: re.Match[str]) -> str:
        word = found[0]
        is_kept = word.startswith(("http://", "https://")) or keeps(word)
        return word if is_kept or not looks_random(word) else mask(word)

    return _URL_OR_WORD.sub(masked, text)


def holds_random(text: str) -> bool:
    """Whether `mask_random` would change the text."""
    return any(
        looks_random(word)
        for word in _URL_OR_WORD.findall(text)
        if not word.startswith(("http://", "https://"))
    )


def mask_within(value: Any, masked: Callable[[str], str]) -> Any:
    """The JSON value with every text masked, also that of a field whose name tells of a secret."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {masked(key): _field(key, item, masked) for key, item in value.items()}
    if isinstance(value, list):
        return [mask_within(item, masked) for item in value]
    return value


def _field(name: str, value: Any, masked: Callable[[str], str]) -> Any:
    if isinstance(value, str) and _NAMED.search(name) and looks_chosen(value):
        return mask(value)
    return mask_within(value, masked)


def words_of(values: Iterable[object]) -> str:
    return " ".join(value for value in values if isinstance(value, str))
