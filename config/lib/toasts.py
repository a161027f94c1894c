"""Toasts that say more than a sentence: a second line, a link, a way to undo."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpRequest


def toast(
    request: HttpRequest,
    title: str,
    text: str = "",
    *,
    level: int = messages.SUCCESS,
    by_rule: bool = False,
    link: tuple[str, str] | None = None,
    undo_url: str = "",
    undo_data: dict[str, str] | None = None,
    progress_url: str = "",
) -> None:
    """Show a toast on the next page or fragment.

    `link` is (label, address). `undo_url` gets a POST with `undo_data` when the person
    presses "Undo". A toast with a `progress_url` stays until what that address answers takes
    its place. `by_rule` gives it the bolt, which only news of rules may have.
    """
    content = {"title": title, "text": text, "undo_url": undo_url, "undo_data": undo_data or {}}
    content["progress_url"] = progress_url
    if link:
        content |= {"link_label": link[0], "link_url": link[1]}
    tags = "toast volt" if by_rule else "toast"
    messages.add_message(request, level, json.dumps(content), extra_tags=tags)
