"""Templates stay small and free of anything that a strict content security policy blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.house.tree import ROOT, static_files, templates

MAX_LINES = 80
MAX_LINES_OF_A_COMPONENT = 40
MAX_LINES_OF_A_SCRIPT = 150
INLINE = re.compile(
    r"""<style\b | <script(?![^>]*\bsrc=) | <[a-z][^>]*\s(?:style|on[a-z]+|hx-on[^=\s]*)\s*=
    | javascript: | ["']js:""",
    re.VERBOSE | re.IGNORECASE,
)
FROM_ELSEWHERE = re.compile(
    r"""(?:src|srcset|href)\s*=\s*["']?(?:https?:)?//(?!www\.w3\.org/) | url\(\s*["']?(?:https?:)?//
    | @import\s+["'](?:https?:)?// | \b(?:import|fetch)\b[^;\n]*["']https?://""",
    re.VERBOSE | re.IGNORECASE,
)


COMMENT = re.compile(r"{#.*?#}|{% comment %}.*?{% endcomment %}", re.DOTALL)
LINK = re.compile(r"<a\s[^>]*>")  # people may be led elsewhere


def _too_long(paths: Iterable[Path], most: int) -> dict[str, int]:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in paths}
    return {name: length for name, length in lengths.items() if length > most}


def _found(pattern: re.Pattern[str], paths: Iterable[Path], without: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in paths
        for match in pattern.finditer(without.sub("", path.read_text()))
    ]


def test_it_keeps_templates_and_scripts_small():
    components = [path for path in templates() if path.parent.name == "components"]
    assert _too_long(components, MAX_LINES_OF_A_COMPONENT) == {}
    assert _too_long(templates(), MAX_LINES) == {}
    assert _too_long(static_files(".js"), MAX_LINES_OF_A_SCRIPT) == {}


def test_it_writes_nothing_inline():
    assert _found(INLINE, templates(), without=COMMENT) == []


def test_it_loads_nothing_from_elsewhere():
    ours = templates() + static_files(".css", ".js", ".svg")
    assert _found(FROM_ELSEWHERE, ours, without=LINK) == []


@pytest.mark.parametrize(
    "planted",
    [
        '<p style="color: red">',
        "<p class='a'\n   style='color: red'>",
        '<button onclick="go()">',
        "<script>go()</script>",
        "<style>p {}</style>",
        '<a href="javascript:go()">',
        '<div hx-on:click="go()">',
    ],
)
def test_it_would_catch_what_is_inline(planted):
    assert INLINE.search(planted)


@pytest.mark.parametrize(
    "planted",
    [
        '<script src="https://cdn.example.com/x.js">',
        '<link href="//fonts.example.com/x.css">',
        "src: url(https://fonts.example.com/x.woff2)",
        'import x from "https://cdn.example.com/x.js"',
    ],
)
def test_it_would_catch_what_comes_from_elsewhere(planted):
    assert FROM_ELSEWHERE.search(planted)
