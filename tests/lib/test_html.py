from __future__ import annotations

import pytest
from django.forms.utils import ErrorList
from django.utils import html as django_html
from django.utils.safestring import SafeString

from config.lib.html import format_html, format_html_join

VALUES = ["", "a & b", "<b>\"'", SafeString("<b>&amp;</b>"), 7, None, ErrorList(["<no>"])]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_it_escapes_as_django_does(value):
    drawn = format_html('<a title="{}">{named}</a>', value, named=value)
    assert drawn == django_html.format_html('<a title="{}">{named}</a>', value, named=value)
    assert isinstance(drawn, SafeString)


def test_it_joins_as_django_does():
    rows = [[value] for value in VALUES]
    for between in (" & ", SafeString("<br>")):
        drawn = format_html_join(between, "<i>{}</i>", rows)
        assert drawn == django_html.format_html_join(between, "<i>{}</i>", rows)
        assert isinstance(drawn, SafeString)
