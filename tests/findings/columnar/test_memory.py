"""What columns say that they take is what they take, of whatever findings hold."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest

from findings.columnar import rows, texts
from findings.columnar.arrays import Vector
from findings.columnar.dictionary import TextColumn
from findings.columnar.profiles import PROFILE, SEPARATOR
from findings.columnar.rows import MOMENTS, Rows
from findings.columnar.table import Held, Table
from findings.columnar.tag_values import tag_values_of
from findings.explorer.columnar_values import group_values
from findings.query.ast import Exact
from tests.factories import FindingFactory, SourceFactory, create_findings

NUMBER, BATCH = 3_000, 500
TAGS = {
    "a key of its own each": lambda n: [f"key-{n}:x", f"team:t{n}"],
    "few lists": lambda n: [f"label-{n % 100}:{n % 7}", "team:a"],
    "long ones that are not Latin": lambda n: [f"team:{'й' * 400}{n}"],
}


def batch_from(start, tags):
    numbers = range(start, start + BATCH)
    return Rows(
        np.array(numbers),
        np.zeros((BATCH, len(MOMENTS)), dtype=np.int64),
        [f"p{n % 500}" + SEPARATOR * (len(PROFILE) - 1) for n in numbers],
        [json.dumps(tags(n), ensure_ascii=False) for n in numbers],
        [],
    )


def table_of(tags):
    table = Table.empty(lambda name: None)
    for start in range(0, NUMBER, BATCH):
        table = table.with_rows(batch_from(start, tags))
    return table


def lazy_column():
    column = TextColumn()
    codes = [
        column.encode([f"Title {n}" for n in range(s, s + BATCH)]) for s in range(0, NUMBER, BATCH)
    ]
    return Held(Vector(np.concatenate(codes)), column)


@pytest.mark.parametrize("tags", TAGS.values(), ids=TAGS)
def test_it_counts_its_memory(monkeypatch, tags):
    monkeypatch.setattr(texts, "SEGMENT", 400)
    tracemalloc.start()
    try:
        table = table_of(tags)
        assert table.nbytes == pytest.approx(tracemalloc.get_traced_memory()[0], rel=0.15)
        table = table.with_column("title", lazy_column())
        for nth in range(30):
            table.tags.passing(f"key-{nth}", Exact("x"))
            table.lazy["title"].dictionary.passing(Exact(f"Title {nth}"))
        for key in ("team", "key-7", "label-7"):
            tag_values_of(table.tags, key)
            group_values(table, f"tag:{key}")
        group_values(table, "title")
        assert table.nbytes == pytest.approx(tracemalloc.get_traced_memory()[0], rel=0.15)
        table.forget()
        assert table.nbytes == pytest.approx(tracemalloc.get_traced_memory()[0], rel=0.15)
    finally:
        tracemalloc.stop()


@pytest.mark.django_db
def test_it_reads_fewer_at_once_of_long_texts(monkeypatch):
    monkeypatch.setattr(rows, "FIRST", 2)
    monkeypatch.setattr(rows, "BATCH_BYTES", 4_000)
    source = SourceFactory()
    create_findings(
        FindingFactory.build(source=source, description="x" * (1 if nth < 9 else 1_000))
        for nth in range(20)
    )
    numbers = [len(pks) for pks, _ in rows.batches_of(["description"])]
    assert numbers[1] > 4
    assert numbers[-2] <= 4
    assert sum(numbers) == 20
