"""Who made a change, said before it is saved: the history has no other way to know."""

from __future__ import annotations

from typing import Any

from config.accounts.models import User


def sign(instance: Any, *, actor: User | None, reason: str = "") -> None:
    """Name the actor of the next save or delete of `instance` in its history."""
    instance._history_user = actor  # noqa: SLF001 (simple-history's own names)
    instance._change_reason = reason or None  # noqa: SLF001
