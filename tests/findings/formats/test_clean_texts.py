"""A text is searched for credentials once, and what is remembered of it hides none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.formats.clean_texts import CleanTexts
from findings.formats.credentials import (
    holds_random,
    mask_credentials,
    mask_random,
    mask_within,
    may_hold_credentials,
    may_name_credentials,
)
from findings.formats.normalised import normalise

TOKEN = "ghp_" + "0000notARealToken00000000000000000000"
HEX = "9f8e7d6c5b4a39281706"
SPOKEN = ["password", "api_key", "Authorization", "Bearer", "cookie", "token", "secret", "value"]
PIECES = [
    TOKEN,
    HEX,
    "AKIA" + "0000NOTAREALKEY0",
    "postgres://app:p4ss@db",
    "https://",
    "hunter2x9",
    *SPOKEN,
]
SIGNS = list(" \t\n:=\"'@/;.-_\\{}")
texts = st.lists(st.sampled_from([*PIECES, *SIGNS, "ordinary", "ſ"]), max_size=8).map("".join)


def record(**fields):
    named = {"finding_type": "misconfiguration", "title": "A", "severity": "low"}
    return named | {"resource_id": "r"} | fields


def quoted(text):
    return [{"seen": text}, {"seen": ["x", text]}, {"seen": {"deep": [{"er": text}]}}, {text: 1}]


@pytest.mark.parametrize(
    "text", ['{"password": "hunter2x9zz"}', "password\t= hunter2x9zz", "password\n= hunter2x9zz"]
)
def test_it_masks_what_an_attribute_quotes(text):
    """Its JSON has a backslash there, which is in no credential."""
    for attributes in quoted(text):
        assert "hunter2x9zz" not in repr(normalise(record(attributes=attributes), position=0))


@given(some=st.lists(texts, max_size=4), again=st.lists(texts, max_size=4))
def test_it_remembers_only_what_the_masks_leave(some, again):
    ordinary = CleanTexts(may_hold_credentials, max_bytes=1_000)
    random = CleanTexts(holds_random, max_bytes=1_000)
    names = CleanTexts(may_name_credentials, max_bytes=1_000)
    for batch in (some, again, some):
        if ordinary.hold_all(batch):
            assert list(map(mask_credentials, batch)) == batch
        if random.hold_all(batch):
            assert list(map(mask_random, batch)) == batch
        fields = dict.fromkeys(batch, "Summer2024!")
        if names.hold_all(batch):
            assert mask_within(fields, mask_credentials) == fields
        for text in batch:
            assert ordinary.masked(text, mask_credentials) == mask_credentials(text)


@given(first=texts, second=texts)
def test_a_finding_is_masked_whatever_was_seen_before(first, second):
    """A value, a name, a tag and a title of the same words are not the same."""
    for text in (first, second, first):
        title = f"A {text}".strip()
        tags = [f"k:{text}x"]
        normalise(record(title=title, tags=tags, attributes={"a": text}), position=0)
        said = {text: "Summer2024!"}
        found = normalise(record(attributes=said), position=0)
        assert found.attributes == mask_within(said, mask_credentials)
        found = normalise(record(title=title, finding_type="secret", attributes=said), position=0)
        assert found.title == mask_random(mask_credentials(title))
        expected = mask_within(said, lambda each: mask_random(mask_credentials(each)))
        assert found.attributes == expected


def test_it_keeps_nothing_of_a_credential_and_forgets_when_it_is_full():
    clean = CleanTexts(may_hold_credentials, max_bytes=10_000)
    assert not clean.hold_all(["a", TOKEN])
    assert clean.masked(TOKEN, mask_credentials) == "ghp_****"
    assert clean._known == set()
    for number in range(10_000):
        assert clean.hold_all([f"text {number}", "a"])
        assert len(clean._known) < 200


def test_it_masks_the_random_name_of_a_field_of_a_secret():
    for attributes in ({HEX: 1}, {"a": [{HEX: "x"}]}):
        found = normalise(record(finding_type="secret", attributes=attributes), position=0)
        assert HEX not in repr(found)
