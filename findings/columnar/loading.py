"""A table from the database: seconds for a million findings, a batch of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from findings.columnar.arrays import Codes, Vector
from findings.columnar.dictionary import TextColumn
from findings.columnar.rows import batches, batches_of, lazy_column
from findings.columnar.table import Held, Table


class TooLarge(Exception):
    """It does not fit into the memory that it may have."""


def load(want: Callable[[str], None], *, most: int) -> Table:
    """The base columns of all findings, in at most so many bytes. Raises TooLarge."""
    table = Table.empty(want)
    for rows in batches():
        table = table.with_rows(rows)
        if table.room > most:
            raise TooLarge(f"{table.room:,} bytes for {table.size:,} findings")
    return table


def load_columns(
    table: Table, names: Sequence[str], *, fits: Callable[[int], bool] = lambda size: True
) -> Iterator[Mapping[str, Held] | None]:
    """Lazy columns of the findings that are in the table, all in one pass: None after each batch,
    and at last the columns. `fits` tells whether there is room for so many bytes of them. Raises
    TooLarge, and KeyError for a name that is none."""
    dictionaries = [lazy_column(name).dictionary() for name in names]
    columns = [np.full(table.size, each.missing, dtype=np.int32) for each in dictionaries]
    for pks, batch in batches_of(names):
        places = table.places_of(pks)
        for codes, dictionary, texts in zip(columns, dictionaries, batch, strict=True):
            codes[places[places >= 0]] = dictionary.encode(texts)[places >= 0]
        _check(dictionaries, columns, fits)
        yield None
    for dictionary in dictionaries:
        dictionary.prepare()
    _check(dictionaries, columns, fits)
    held = (Held(Vector(codes), each) for codes, each in zip(columns, dictionaries, strict=True))
    yield dict(zip(names, held, strict=True))


def _check(
    dictionaries: Sequence[TextColumn], columns: Sequence[Codes], fits: Callable[[int], bool]
) -> None:
    texts = sum(each.nbytes for each in dictionaries)
    if not fits(texts + 2 * sum(each.nbytes for each in columns)):  # twice, as in `Table.room`
        raise TooLarge(f"{texts:,} bytes of values")
