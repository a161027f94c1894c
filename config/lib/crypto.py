"""Secrets at rest: a text column encrypted with keys that can be rotated.

The first of ENCRYPTION_KEYS encrypts, each of them decrypts. To rotate: put a new key first,
run `manage.py rotate_keys`, take the old one out.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import Any

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

log = structlog.stdlib.get_logger(__name__)


@cache
def _keys(keys: tuple[str, ...]) -> MultiFernet:
    derived = (base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()) for key in keys)
    return MultiFernet([Fernet(key) for key in derived])


def _fernet() -> MultiFernet:
    return _keys(tuple(settings.ENCRYPTION_KEYS))


def encrypt(text: str) -> str:
    return _fernet().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Raises InvalidToken if none of the keys fits."""
    return _fernet().decrypt(token.encode()).decode()


def rotate(token: str) -> str:
    """The same secret under the first key. Raises InvalidToken if none of the keys fits."""
    return _fernet().rotate(token.encode()).decode()


def is_current(token: str) -> bool:
    """Is it under the first key?"""
    try:
        _keys((settings.ENCRYPTION_KEYS[0],)).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Reads and writes plain text, stores ciphertext. Cannot be looked up by value.

    A value whose key is lost reads as empty text: whoever needs it asks for it again.
    """

    def get_prep_value(self, value: Any) -> Any:
        return encrypt(value) if value else value

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        if not value:
            return value
        try:
            return decrypt(value)
        except InvalidToken:
            log.warning("A secret cannot be read with the present keys", column=self.name)
            return ""

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name in ("isnull", "exact"):  # exact: only for "" (is it set at all)
            return super().get_lookup(lookup_name)
        return None
