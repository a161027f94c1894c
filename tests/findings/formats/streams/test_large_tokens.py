"""One token that never ends: refused, or read in a time that grows as the file does."""

from __future__ import annotations

import io
import time

import pytest

from findings.formats.streams.outlines import RefusedReport
from findings.formats.streams.records import outline

MB = 1024 * 1024
XML = "The XML has a tag of more than 1,048,576 bytes in line 2."
TOO_LARGE = {
    "start tag": (b'<a>\n<b c="%b"/></a>', b"x", XML),
    "start tag with signs": (b'<a>\n<b c="%b"/></a>', b">", XML),
    "attributes": (b"<a>\n<b %b/></a>", b"", XML),
    "spaces in a tag": (b"<a>\n<b%b/></a>", b" ", XML),
    "name": (b"<a>\n<b%b/></a>", b"b", XML),
    "comment": (b"<a>\n<!--%b--></a>", b"x", XML),
    "instruction": (b"<a>\n<?p %b?></a>", b"x", XML),
    "number": (b'{"a": 1%b}', b"0", "The JSON holds a number of more than 262,144 characters."),
    "fraction": (b'{"a": 0.%b}', b"1", "The JSON holds a number of more than 262,144 characters."),
    "text": (b'{"a": "%b"}', b"x", "The JSON holds a text of more than 4,194,304 bytes."),
    "key": (b'{"%b": 1}', b"x", "The JSON holds a text of more than 4,194,304 bytes."),
    "escapes": (b'{"a": "%b"}', b"\\n", "The JSON holds a text of more than 4,194,304 bytes."),
    "quotes": (b'{"a": "%b"}', b'\\"', "The JSON holds a text of more than 4,194,304 bytes."),
    "a line": (
        b'{"a": 1}\n{"a": "%b"}',
        b"x",
        "The JSON holds a text of more than 4,194,304 bytes.",
    ),
    "cell": (b'a,b\n1,"%b"', b"x", "A line of the CSV has more than 1,048,576 bytes."),
    "cell of lines": (b'a,b\n1,"%b"', b"x\n", "The file cannot be read as CSV from line"),
    "cells": (b"a,b\n1%b", b",1", "A line of the CSV has more than 1,048,576 bytes."),
}


def attributes():
    return b" ".join(b'k%d="v"' % number for number in range(MB // 4))


@pytest.mark.parametrize("name", TOO_LARGE)
def test_it_refuses_a_token_that_never_ends_soon(name):
    report, piece, sentence = TOO_LARGE[name]
    report = report % (piece * (6 * MB // len(piece)) if piece else attributes())
    started = time.process_time()
    with pytest.raises(RefusedReport) as refused:
        outline(io.BytesIO(report))
    assert refused.value.reason.startswith(sentence)
    assert time.process_time() - started < 30  # unbounded: minutes


@pytest.mark.parametrize(
    "report",
    [
        b'<a b="' + b"x" * (MB - 200_000) + b'"/>',
        b"<a>" + b"x" * 4 * MB + b"<![CDATA[" + b"y" * 4 * MB + b"]]></a>",
        b'{"a": "' + b"\\n" * MB + b'", "b": 1.' + b"1" * 100_000 + b"}",
        b'{"a": "' + b"0" * 200_000 + b'", "b": [' + b'"c\\\\", ' * 700_000 + b"1]}",
    ],
)
def test_it_reads_what_is_just_within(report):
    assert outline(io.BytesIO(report))
