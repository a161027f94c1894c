"""Searches that people keep under a name, of each page that has them."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from config.accounts.models import User
from findings.models import SavedView


class ViewNameTaken(ValueError):
    """Another view of the owner has the name; `str(error)` is a sentence for them."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Another view of yours is already called “{name}”.")


def save_view(
    *,
    name: str,
    query: str,
    is_shared: bool,
    owner: User,
    page: SavedView.Page = SavedView.Page.FINDINGS,
) -> SavedView:
    """Raises ViewNameTaken."""
    try:
        with transaction.atomic():
            return SavedView.objects.create(
                page=page, name=name, query=query, is_shared=is_shared, owner=owner
            )
    except IntegrityError:
        raise ViewNameTaken(name) from None


def change_view(view: SavedView, *, name: str, is_shared: bool) -> None:
    """Raises ViewNameTaken."""
    try:
        with transaction.atomic():
            SavedView.objects.filter(pk=view.pk).update(name=name, is_shared=is_shared)
    except IntegrityError:
        raise ViewNameTaken(name) from None


def delete_view(view: SavedView) -> None:
    SavedView.objects.filter(pk=view.pk).delete()
