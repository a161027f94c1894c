"""Titles and advice in a report's own words, where those are words about a finding."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape

from findings.formats.values.fields import one_line

_PLACEHOLDER = re.compile(
    r"(?<![$\w{`'\"])\{(?:\d+|[A-Za-z_][\w.]*)\}(?!\})"  # {library}, {0}
    r"|(?<!\$)\{\{\s*[\w.]+\s*\}\}|%\(\w+\)s"
)
_PATTERN = re.compile(r"\(\?[:i=!<]|\[\^?[^\]\s]-[^\]\s]+\]|\\[bdswBDSW](?![a-z])|\]\{\d|\]\+|\.\*")
_PLAIN_WORD = re.compile(r"(?<!\S)[A-Za-z][a-z'’-]+[.,:;]?(?!\S)")
_PUBLIC_ID = re.compile(r"(?:CVE|CWE|GHSA|PYSEC|RUSTSEC|GO|OSV|SNYK|BDSA)-", re.IGNORECASE)
_IDS_ALONE = re.compile(rf"[\s(),;/:]*(?:{_PUBLIC_ID.pattern}[\w.-]+[\s(),;/:]*)+\Z", re.IGNORECASE)
_RULE = frozenset("|:+=- ")
_LOOKED_AT = 1_000  # characters of a title
_LINE = 200  # characters of a heading
_FIELD = re.compile(r"(?:Package|Artifact|Rule|File|Severity|Resource|Type|ID): \S+$")


def plain(text: str) -> str:
    """Without the entities of HTML: "user&#39;s" is "user's"."""
    return unescape(text).replace("\0", "") if "&" in text else text


def is_sentence(text: str, *names: str) -> bool:
    """Whether the text says what is wrong: it is more than one word and than ids, no template, no
    regular expression, and does not hold one of the rule's names in place of an answer."""
    words = text.strip()[:_LOOKED_AT]
    if len(words.split()) < 2 or _IDS_ALONE.match(words) or is_for_machines(words):
        return False
    return not any(_holds(words, name) for name in names if name)


def is_for_machines(words: str) -> bool:
    """Whether it is a template, a field of a report or a regular expression."""
    words = words[:_LOOKED_AT]
    if _PLACEHOLDER.search(words) or _FIELD.match(words):
        return True
    return bool(_PATTERN.search(words)) and len(_PLAIN_WORD.findall(words)) < 3


def _holds(words: str, name: str) -> bool:
    """Names that the public knows and names that are words of English may stand in a sentence."""
    if words == name:
        return " " not in name
    if name.isalpha() or " " in name or _PUBLIC_ID.match(name):
        return False
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", words))


def title_from(candidates: Iterable[str]) -> str:
    """The first line of the first text that is a sentence; "" if none is."""
    lines = (plain(first_line(each)) for each in candidates)
    return next((line for line in lines if is_sentence(line)), "")


def title_word(candidates: Iterable[str]) -> str:
    """Where no text is a sentence: the first line that is at least no template."""
    lines = [line for each in candidates if (line := plain(first_line(each)))]
    return next((line for line in lines if not is_for_machines(line)), next(iter(lines), ""))


def first_line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()


_ADVICE = (
    r"(?:(?:recommended )?(?:remediations?|recommendations?|solutions?|mitigations?|resolution|fix)"
    r"(?: (?:steps|advice|guidance))?|how (?:to|do i|can i) (?:fix|remediate|resolve|mitigate)"
    r"(?: (?:it|this|them))?|what (?:to do|should i do)|suggested fix|fix suggestions?)\s*[:?]?"
)
_HEADING = re.compile(
    r"\s*(?:(?P<hashes>\#{1,6})\s*(?P<hashed>.+?)\s*\#*"
    r"|(?:\*\*|__)(?P<bold>[^*_]+?)(?:\*\*|__):?"
    r"|<(?P<tag>h[1-6]|b|strong)>(?P<html>[^<]+)</(?P=tag)>:?\s*(?:<br\s*/?>)?"
    r"|(?P<label>[A-Z][A-Za-z ]{2,40}):)\s*",
)
_HEADING_MARK = re.compile(r"^#{1,6}[ \t]+", re.MULTILINE)
_LABELLED = re.compile(r"[A-Z][A-Za-z ]{2,30}: \S")
_ADVISING = re.compile(_ADVICE, re.IGNORECASE)
_ADVISING_LABEL = re.compile(
    rf"\s*(?:\*\*|__)?(?P<label>{_ADVICE})(?:\*\*|__)?:?(?<=[:*_?])\s+(?P<text>\S.*)", re.IGNORECASE
)


def advice_in(text: str) -> str:
    """The part under the heading that announces advice, up to the next; "" without one."""
    kept: list[str] = []
    level = 0  # of the heading that is open; 0: none, 9: no number sign
    is_code = is_labelled = False
    for line in plain(text).splitlines():
        is_code ^= line.lstrip().startswith(("```", "~~~"))
        found = None if is_code or len(line) > _LINE else _HEADING.fullmatch(line)
        if found and (not level or _level(found) <= level):
            if level:
                break
            level = _level(found) if _ADVISING.fullmatch(_words(found)) else 0
        elif is_labelled and _LABELLED.match(line):
            break
        elif level:
            kept.append(line)
        elif labelled := _ADVISING_LABEL.fullmatch(line):
            level, is_labelled = 9, True
            kept.append(labelled["text"])
    return without_tables("\n".join(kept)).strip()


def _level(heading: re.Match[str]) -> int:
    return len(heading["hashes"] or "") or 9


def _words(heading: re.Match[str]) -> str:
    found = heading["hashed"] or heading["bold"] or heading["html"] or heading["label"]
    return found.strip(" *_:")


def without_tables(text: str) -> str:
    """Rows of a Markdown table left out: on one line they say nothing."""
    lines = text.splitlines()
    return "\n".join(line for line in lines if not _is_of_table(line.strip()))


def _is_of_table(line: str) -> bool:
    is_row = len(line) > 1 and line[0] == line[-1] == "|"
    return is_row or (len(line) > 2 and set(line) <= _RULE and "|" in line)


def advice_line(text: str) -> str:
    """The text as one line of an attribute: its headings are sentences among others."""
    return one_line(_HEADING_MARK.sub("", without_tables(text)), 1_000)
