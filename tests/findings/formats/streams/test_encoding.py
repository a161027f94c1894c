from __future__ import annotations

from io import BytesIO

import pytest

from findings.formats.streams.encoding import to_utf8
from findings.formats.streams.outlines import RefusedReport

WORDS = '{"title": "Größe – naïve café"}'
XML = '<?xml version="1.0" encoding="{}"?><a>é</a>'
LONG = '{"title": "' + "é" * 300_000 + '"}'  # over several chunks, odd bytes at their ends

TABLE = {
    "UTF-16 with its mark": (WORDS.encode("utf-16"), "UTF-16", WORDS),
    "big-endian": (b"\xfe\xff" + WORDS.encode("utf-16-be"), "UTF-16", WORDS),
    "UTF-16 without a mark": (WORDS.encode("utf-16-le"), "UTF-16", WORDS),
    "big-endian without a mark": (WORDS.encode("utf-16-be"), "UTF-16", WORDS),
    "UTF-16, long": (LONG.encode("utf-16"), "UTF-16", LONG),
    "a table in UTF-16": ("Title,Risk\né,5\n".encode("utf-16"), "UTF-16", "Title,Risk\né,5\n"),
    "Windows-1252": (WORDS.encode("cp1252"), "Windows-1252", WORDS),
    "Windows-1252, long": (LONG.encode("cp1252"), "Windows-1252", LONG),
    "UTF-8": (WORDS.encode(), "", WORDS),
    "UTF-8, long": (LONG.encode(), "", LONG),
    "XML in UTF-16": (
        XML.format("UTF-16").encode("utf-16"),
        "UTF-16",
        '<?xml version="1.0"?><a>é</a>',
    ),
    "XML that declares another": (
        XML.format("ISO-8859-1").encode("latin-1"),
        "",
        XML.format("ISO-8859-1"),
    ),
    "nothing": (b"", "", ""),
}


@pytest.mark.parametrize("case", TABLE)
def test_it_makes_it_utf8(case):
    content, encoding, words = TABLE[case]
    file = BytesIO(content)
    assert to_utf8(file) == encoding
    assert file.getvalue().decode("utf-8" if "another" not in case else "latin-1") == words


@pytest.mark.parametrize(
    "broken",
    [WORDS.encode().replace(b"\xc3\xa9", b"\xe9"), b'{"title": "\x81"}', b'"\xc0\x80\x81"'],
)
def test_it_leaves_broken_utf8_to_the_readers(broken):
    file = BytesIO(broken)
    assert to_utf8(file) == ""
    assert file.getvalue() == broken


def test_it_refuses_utf16_that_is_cut():
    with pytest.raises(RefusedReport, match=r"not valid UTF-16\."):
        to_utf8(BytesIO(WORDS.encode("utf-16")[:-1]))
