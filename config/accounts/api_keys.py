"""Keys of machines: made, recognised, revoked. A raw key exists only where it is made."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from config.accounts.models import ApiKey, User
from config.accounts.roles import Permission
from config.accounts.signing import sign

_MARK = "fa_"
_RAW_LENGTH = len(_MARK) + 43  # 32 random bytes in url-safe base64
_SHOWN = len(_MARK) + 8  # enough to tell keys apart, 48 of 256 bits
_USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class KeyActor:
    """Who asks when a key asks: `request.user` without a row among people.

    `made_by` answers for it: its maker, or the admin who took it over.
    """

    id: UUID
    name: str
    permissions: frozenset[Permission]
    made_by: User | None = None
    is_authenticated: bool = True
    is_active: bool = True

    def __str__(self) -> str:
        return self.name

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


def create_api_key(
    name: str,
    *,
    scopes: Collection[Permission],
    actor: User | None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; returns it with the raw key, which nobody can read again.

    Raises `ValidationError` when the name or the scopes are empty, or the key is already
    expired. `actor` None is the command line.
    """
    if not name.strip():
        raise ValidationError({"name": "Name the key after the machine that will use it."})
    if not scopes:
        raise ValidationError({"scopes": "Choose at least one scope."})
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError({"expires_at": "Choose a time in the future."})
    raw = _MARK + secrets.token_urlsafe(32)
    key = ApiKey(
        name=name.strip(),
        prefix=raw[:_SHOWN],
        digest=_digest(raw),
        scopes=sorted(scope.value for scope in set(scopes)),
        created_by=actor,
        expires_at=expires_at,
    )
    sign(key, actor=actor)
    key.save(force_insert=True)
    return key, raw


@transaction.atomic
def revoke_api_key(key_id: UUID, *, actor: User | None, reason: str = "Revoked") -> bool:
    """Revoke the key for good; False when it already was, and its first time stands."""
    key = ApiKey.objects.select_for_update().get(pk=key_id)
    if key.revoked_at is not None:
        return False
    key.revoked_at = timezone.now()
    sign(key, actor=actor, reason=reason)
    key.save(update_fields=["revoked_at"])
    return True


@transaction.atomic
def take_over_api_key(key_id: UUID, *, actor: User) -> bool:
    """Answer for the key from now on: it may do what its scopes and `actor` may.

    False for one that is revoked, or is theirs already. Raises PermissionDenied for who may
    not make keys.
    """
    if not actor.may(Permission.API_KEYS):
        raise PermissionDenied("Only who may create API keys can answer for one.")
    key = ApiKey.objects.select_for_update(of=("self",)).get(pk=key_id)
    if key.revoked_at is not None or actor.pk in (key.kept_by_id, key.created_by_id):
        return False
    key.kept_by = actor
    sign(key, actor=actor, reason="Taken over")
    key.save(update_fields=["kept_by"])
    return True


def live_keys_of(person: User) -> list[ApiKey]:
    """Those that the person answers for and that are in use."""
    theirs = Q(kept_by=person) | Q(kept_by=None, created_by=person)
    keys = ApiKey.objects.filter(theirs, revoked_at=None).select_related("created_by", "kept_by")
    return [key for key in keys if key.is_live]


def live_keys(raw_keys: Iterable[str]) -> dict[str, ApiKey]:
    """The live key behind each raw key that has one, in one statement.

    A key is found by its SHA-256 through the unique index. How long that takes says nothing
    useful: it depends on the digest, which nobody can steer towards a stored one, and 256
    random bits need no slow hash either. What cannot be a key never reaches the database.
    """
    digests = {_digest(raw): raw for raw in raw_keys if _looks_like_a_key(raw)}
    if not digests:
        return {}
    keys = ApiKey.objects.select_related("created_by", "kept_by").filter(digest__in=digests)
    return {digests[key.digest]: key for key in keys if key.is_live}


def note_use(keys: Iterable[ApiKey]) -> None:
    """Write `last_used_at`, at most once a minute a key, however many machines ask at once."""
    now = timezone.now()
    stale = [
        key.pk
        for key in keys
        if key.last_used_at is None or key.last_used_at <= now - _USE_NOTED_EVERY
    ]
    if stale:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lte=now - _USE_NOTED_EVERY)
        ApiKey.objects.filter(unnoted, pk__in=stale).update(last_used_at=now)


def _looks_like_a_key(raw: str) -> bool:
    return len(raw) == _RAW_LENGTH and raw.startswith(_MARK) and raw.isascii()


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()
