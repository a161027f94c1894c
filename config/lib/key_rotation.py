"""Re-encrypts every stored secret with the first of ENCRYPTION_KEYS.

May be stopped and started again at any time: a secret that is under the first key already is
left alone, and one that somebody changes meanwhile keeps their change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.db.models import F, Model, TextField, Value
from django.db.models.functions import Cast

from config.lib.crypto import EncryptedTextField, is_current, rotate

CHUNK = 200


class Rotation(NamedTuple):
    """What became of the secrets in one column."""

    column: str
    rotated: int
    current: int  # were under the first key before
    lost: tuple[str, ...]  # primary keys of those that none of the keys reads


def rotate_all() -> Iterator[Rotation]:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield _rotate_column(model, field.name)


def _rotate_column(model: type[Model], column: str) -> Rotation:
    rotated = current = 0
    lost = []
    for pk, stored in _secrets(model, column):
        if is_current(stored):
            current += 1
            continue
        try:
            fresh = rotate(stored)
        except InvalidToken:
            lost.append(str(pk))
            continue
        row = _raw(model, column).filter(pk=pk, raw=stored)
        rotated += row.update(**{column: Value(fresh, output_field=TextField())})
    return Rotation(f"{model._meta.label}.{column}", rotated, current, tuple(lost))


def _secrets(model: type[Model], column: str) -> Iterator[tuple[Any, str]]:
    """(primary key, ciphertext) of each secret, a chunk at a time: no table is held in memory."""
    rows = _raw(model, column).exclude(raw="").exclude(raw=None).order_by("pk")
    last = None
    while chunk := list(
        (rows.filter(pk__gt=last) if last is not None else rows).values_list("pk", "raw")[:CHUNK]
    ):
        yield from chunk
        last = chunk[-1][0]


def _raw(model: type[Model], column: str) -> Any:
    """Rows with the ciphertext itself: the field would decrypt it."""
    everything = model._base_manager  # noqa: SLF001 (documented, and never filtered)
    return everything.annotate(raw=Cast(F(column), TextField()))
