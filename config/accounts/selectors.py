"""Reads of keys and people for their pages."""

from __future__ import annotations

from django.db.models import F, QuerySet

from config.accounts.models import ApiKey, User
from config.accounts.roles import Role


def listed_keys() -> QuerySet[ApiKey]:
    """Every key with who made it and who answers for it, those that may still be used first."""
    newest = ApiKey.objects.select_related("created_by", "kept_by")
    return newest.order_by(F("revoked_at").desc(nulls_first=True), "-created_at")


def admin_names(most: int = 3) -> list[str]:
    """Whom to ask for a role."""
    admins = User.objects.filter(is_active=True, role=Role.ADMIN).order_by("name")
    return list(admins.values_list("name", flat=True)[:most])


def listed_people() -> QuerySet[User]:
    """Everybody, those who may sign in first."""
    return User.objects.order_by("-is_active", "name", "email")
