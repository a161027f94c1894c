"""Sessions in the database, under a digest of the key that is in the cookie.

Who reads the table, or a copy of it, gets nothing that a browser could send. The key has 165
random bits, so that a plain hash is enough; 160 bits of it fit Django's own column.
"""

from __future__ import annotations

import hashlib
from typing import Any, NoReturn

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

_COLUMN_LENGTH = 40


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> AbstractBaseSession | None:
        session = None
        if self.session_key is not None:
            live = self.model.objects.filter(expire_date__gt=timezone.now())
            session = live.filter(session_key=_digest(self.session_key)).first()
        if session is None:
            self._session_key = None
        return session

    def exists(self, session_key: str) -> bool:
        return super().exists(_digest(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        session = super().create_model_instance(data)
        session.session_key = _digest(session.session_key)
        return session

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(_digest(key))

    async def acreate_model_instance(self, data: dict[str, Any]) -> NoReturn:
        raise NotImplementedError  # it would store the key itself; we are served by threads


def _digest(session_key: str) -> str:
    return hashlib.sha256(session_key.encode()).hexdigest()[:_COLUMN_LENGTH]
