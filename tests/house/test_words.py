"""Pages, messages and errors in plain English; numbers and days each written in one way.

The words, and those that they take the place of, are listed in CONTRIBUTING.md.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import ROOT, python_files, templates

WRITES_DAYS = ROOT / "config/lib/utc.py"
NOT_FOR_PEOPLE = ("sandbox", "migrations", "formats/readers")
COMMENT = re.compile(r"{#.*?#}|{% comment %}.*?{% endcomment %}|<!--.*?-->", re.DOTALL)
READ_ALOUD = ("alt", "aria-label", "data-announces", "data-confirm", "data-confirm-text")
READ_ALOUD += ("placeholder", "title")
ATTRIBUTE = re.compile(r'\s([\w-]+)="((?:{{.*?}}|{%.*?%}|[^"])*)"')
PRINTED = re.compile(r"{{\s*([^}]+?)\s*}}")
NOT_SAID = (
    r"bell",  # wake-up
    r"deeds?",  # action
    r"(?<!there )(?:is|are) no (?:address|date|day|file|list|mapping|number|object)",  # is not a …
    r"(?<!there )(?:is|are) no (?:text|time|token|UUID|value)",
    r"is nobody here",
    r"is none of",  # is not one of
    r"kept in step",  # synced
    r"looked through|looks? through|looking through",  # checked
    r"mend(?:s|ed)?",  # fix
    r"put (?:it|this) away",  # dismiss
    r"said twice",  # given twice
    r"taken? in",  # import
)
FORBIDDEN = re.compile(rf"\b(?:{'|'.join(NOT_SAID)})\b", re.IGNORECASE)
COUNT = re.compile(r"(?:^|[._])(?:count|total|number_of|size|waiting|tickets|findings_count)$")
FORMATTED = {"thousands", "counted", "pluralize", "filesizeformat"}
MONTH_OR_WEEKDAY = re.compile(r"%-?[abBA]\b|%-d")


def words_of_templates() -> Iterator[tuple[str, str]]:
    for path in templates():
        text = COMMENT.sub("", path.read_text())
        text = re.sub(r"{%(?:[^%]|%(?!}))*?(\"[^\"]*\")?(?:[^%]|%(?!}))*?%}|<[^>]+>", " ", text)
        yield str(path.relative_to(ROOT)), " ".join(text.split())


def texts_of_code(path: Path) -> Iterator[tuple[int, str]]:
    """Its strings with a space in them, but no docstrings, no log messages and no notes to us."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        ours = [node.value] if isinstance(node, ast.Expr) else []
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log."):
            ours = [node]
        for each in (inner for outer in ours for inner in ast.walk(outer)):
            each.is_ours = True  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and " " in node.value.strip() and not hasattr(node, "is_ours"):
            yield node.lineno, node.value


def code() -> list[Path]:
    return [p for p in python_files() if not any(part in str(p) for part in NOT_FOR_PEOPLE)]


def test_it_says_nothing_in_a_private_dialect():
    in_pages = [
        f"{name}: …{text[max(0, hit.start() - 40) : hit.end() + 20]}…"
        for name, text in words_of_templates()
        for hit in FORBIDDEN.finditer(text)
    ]
    in_code = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in code()
        for line, text in texts_of_code(path)
        if FORBIDDEN.search(text)
    ]
    assert not (in_pages + in_code), "\n".join(in_pages + in_code)


@pytest.mark.parametrize(
    "planted", ["Mend the query", "31 Nov is no date", "kept in step", "'x' is none of a, b"]
)
def test_it_would_catch_a_private_word(planted):
    assert FORBIDDEN.search(planted)


def test_it_writes_numbers_of_things_with_thousands():
    """What decides about a plural, what is a length or is called a count is a number of things."""
    bare = [
        f"{path.relative_to(ROOT)}: {{{{ {printed} }}}}"
        for path in templates()
        for printed in numbers_printed_bare(COMMENT.sub("", path.read_text()))
    ]
    assert bare == []


def numbers_printed_bare(text: str) -> Iterator[str]:
    def read(attribute: re.Match[str]) -> str:
        return attribute[0] if attribute[1] in READ_ALOUD else ""

    prints = PRINTED.findall(ATTRIBUTE.sub(read, text))
    plurals = {each.partition("|pluralize")[0].strip() for each in prints if "|pluralize" in each}
    for each in prints:
        name, *filters = (part.strip() for part in each.split("|"))
        if {part.partition(":")[0] for part in filters} & FORMATTED:
            continue
        if each in plurals or "length" in filters or COUNT.search(name):
            yield each


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("{{ n }} ticket{{ n|pluralize }}", ["n"]),
        ("{{ n|thousands }} ticket{{ n|pluralize }}", []),
        ("{{ rows|length }}", ["rows|length"]),
        ("{{ rows|length|thousands }}", []),
        ("{{ page.total }} · {{ page.total|counted }}", ["page.total"]),
        ("{{ name }} {{ row.number }}", []),
        ('<i data-n="{{ rows|length }}" title="{{ rows|length }} rows">', ["rows|length"]),
    ],
)
def test_it_would_catch_a_bare_number(text, bare):
    assert list(numbers_printed_bare(text)) == bare


def test_it_writes_days_in_one_place():
    """`day`, `short_day`, `weekday`, `clock`, `ago` and `utc` on pages; the same of `utc.py`."""
    in_pages = [
        str(p.relative_to(ROOT)) for p in templates() if re.search(r"\|date\b", p.read_text())
    ]
    in_code = [
        f"{path.relative_to(ROOT)}: {hit.group()}"
        for path in code()
        if path != WRITES_DAYS
        for hit in MONTH_OR_WEEKDAY.finditer(path.read_text())
    ]
    assert not (in_pages + in_code), "\n".join(in_pages + in_code)
