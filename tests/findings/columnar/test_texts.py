"""Many distinct values: each keeps its number, and few are looked at."""

from __future__ import annotations

import json
import random

import pytest

from findings.columnar import texts
from findings.columnar.dictionary import TagLists
from findings.columnar.texts import Texts
from findings.query.ast import Exact, Exists


@pytest.mark.parametrize("hashed", [hash, len, lambda _: 1])
def test_a_text_keeps_its_number_whatever_its_hash(monkeypatch, hashed):
    monkeypatch.setattr(texts, "hash", hashed, raising=False)
    monkeypatch.setattr(texts, "RECENT", 5)
    monkeypatch.setattr(texts, "SEGMENT", 3)
    dice, held = random.Random(3), Texts()
    for _ in range(60):
        drawn = ["x" * dice.randrange(9) + dice.choice("aé\n") for _ in range(dice.randrange(8))]
        assert [held[code] for code in held.encode(drawn)] == drawn
    if hashed is hash:
        assert len(held) == len(set(held)) <= 27


def test_ten_thousand_keys_of_tags():
    tags = TagLists()
    codes = tags.encode([json.dumps([f"k{nth}:v", "team:a:b"]) for nth in range(10_000)])
    assert tags.passing("k77", Exact("v"))[codes].nonzero()[0].tolist() == [77]
    assert tags.passing("team", Exact("a:b"))[codes].all()
    assert tags.passing("team:a", Exact("b"))[codes].all()
    assert not tags.passing("k", Exists())[codes].any()
    assert tags.nbytes < 10_000_000


def test_what_it_takes_grows_with_a_long_text():
    held = Texts()
    held.encode(["x" * 1_000_000])
    assert held.nbytes > 1_000_000
