"""Ids that clients send: what is none is refused before anything is looked up."""

from __future__ import annotations

from uuid import UUID

from config.lib.jsonapi import ApiError, CodedError

_NOT_A_UUID = "error when validating input command: '{}' field must be an uuid"
"""As the public API was recorded; it writes names in lower case and without `_`."""


def uuid_of(sent: str, entity: str, *, pointer: str | None = None) -> UUID:
    """Raises `ApiError` 400."""
    try:
        return UUID(sent)
    except ValueError:
        raise ApiError(400, detail=_NOT_A_UUID.format(entity), pointer=pointer) from None


def coded_uuid_of(sent: str, entity: str) -> UUID:
    """The same for case management. Raises `CodedError` 400."""
    try:
        return UUID(sent)
    except ValueError:
        title, meta = _NOT_A_UUID.format(entity), {"entity": entity, "rule": "uuid"}
        raise CodedError(400, "invalid_command", title, meta=meta) from None
