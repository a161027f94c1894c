"""Whether a check is about credentials, by what it is called: any tool's, in any format."""

from __future__ import annotations

import re
from collections.abc import Iterable

HARD_CODED = frozenset({"CWE-259", "CWE-321", "CWE-798"})  # a credential stands in the code
_OF_CREDENTIALS = HARD_CODED | {"CWE-256", "CWE-257", "CWE-260", "CWE-522", "CWE-1392"}

_TOOLS = re.compile(
    r"secret|credential|passw|leaks\b|trufflehog|ggshield|gitguardian|whispers|nosey.?parker"
    r"|kingfisher|talisman|shhgit|rusty.?hog|deepfence.?scanner|\btitus\b",
    re.IGNORECASE,
)
_NOUN = (
    r"(?:passw(?:or)?ds?|passphrase|secrets?|credentials?|tokens?|pats?|webhooks?"
    r"|(?:api|access|secret|private|auth|service|encryption|signing|account|ssh)[\s._-]?keys?)"
)
_FOUND = (
    r"(?:hard.?coded|plain.?text|clear.?text|leaked|exposed|embedded|detected|found|committed"
    r"|possible|potential(?:ly)?|suspicious)"
)
_MAY_QUOTE = re.compile(
    rf"passwords and secrets|(?<![a-z]){_FOUND}(?![a-z]).{{0,40}}?"
    r"(?:passw|secret|credential|token|key)"
    rf"|(?<![a-z]){_NOUN}(?![a-z]).{{0,20}}?(?<![a-z]){_FOUND}(?![a-z])",
    re.IGNORECASE,
)
_SURELY_FOUND = (
    r"(?:hard[\s_-]?coded|leaked|committed|embedded(?=.{0,40}in)|exposed|detected|found)"
)
_SAME_PHRASE = r"(?:(?!\b(?:in|to|on|of|by|with|via|for)\b|[.;]\s).){0,40}?"
_FINDS = re.compile(
    rf"(?<![a-z]){_SURELY_FOUND}(?![a-z]){_SAME_PHRASE}(?<![a-z]){_NOUN}(?![a-z])"
    rf"|(?<![a-z]){_NOUN}(?![a-z])(?:\W+(?:is|was|has|been|seems|are|were)){{0,3}}"
    rf"\W+{_SURELY_FOUND}(?![a-z])",
    re.IGNORECASE,
)
# A name that is the credential's own: "AWS API Key", "github-pat", "kingfisher.slack.token.2".
_CALLED = re.compile(
    rf"(?<![a-z]){_NOUN}(?:[\s._-]?(?:id|value))?(?:[\s._-]\d{{1,9}})?\Z",
    re.IGNORECASE,
)
_ABOUT_OTHERS = re.compile(
    r"(?<![a-z])(?:missing|without|no|not|never|lack\w*|invalid|weak|csrf|xsrf|insecure|unused"
    r"|expir\w+|verif\w+|valid\w+|polic\w+|rotat\w+|reset|random|compar\w+|timing|require\w*"
    r"|ensure|default|length|complex\w*|brute|none|decode\w*|bypass\w*|unprotected|empty|min\w*"
    r"|old|age|days|mfa|enabled|disabled|automount\w*|session|cancellation|lexer|parse\w*"
    r"|unexpected|use|uses|using|log\w*|print\w*|check\w*|insufficient\w*|improper\w*"
    r"|inadequate\w*)(?![a-z])",
    re.IGNORECASE,
)
_WORDS = 8  # of a name; more are a sentence
_LOOKED_AT = 500  # characters of a sentence


def is_secret_scanner(tool: str) -> bool:
    return bool(_TOOLS.search(tool))


def finds_credentials(
    *, called: Iterable[str], sentences: Iterable[str] = (), cwes: Iterable[str] = ()
) -> bool:
    """Whether what the check found is a credential: the type of its findings is `secret`.

    `called` are ids and names, `sentences` what it says about itself or its result.
    """
    if not HARD_CODED.isdisjoint(cwes):
        return True
    if any(_is_called_so(name) for name in called):
        return True
    return any(_FINDS.search(each[:_LOOKED_AT]) for each in (*called, *sentences))


def _is_called_so(name: str) -> bool:
    words = name[:_LOOKED_AT]
    return (
        len(words.split()) <= _WORDS
        and bool(_CALLED.search(words))
        and not _ABOUT_OTHERS.search(words)
    )


def may_quote_credentials(words: Iterable[str], *, cwes: Iterable[str] = ()) -> bool:
    """Whether the code at the place of such a finding may hold a credential: in doubt, yes."""
    if not _OF_CREDENTIALS.isdisjoint(cwes):
        return True
    return any(_MAY_QUOTE.search(each[:_LOOKED_AT]) for each in words)
