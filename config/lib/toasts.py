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
    undo_label: str = "Undo",
    icon: str = "",
    progress_url: str = "",
    progress_max: int = 0,
) -> None:
    """Show a toast on the next page or fragment.

    `link` is (label, address). `undo_url` gets a POST with `undo_data` when the person
    presses the button named `undo_label`. A toast with a `progress_url` stays until what that
    address answers takes its place; with `progress_max` it has a bar. `icon` stands for the one
    of its level; `by_rule` gives it the bolt, which only news of rules may have.
    """
    content: dict[str, object] = {"title": title, "text": text, "progress_url": progress_url}
    content |= {"undo_url": undo_url, "undo_data": undo_data or {}, "undo_label": undo_label}
    if progress_max:
        content |= {"value": 0, "max": progress_max}
    if icon:
        content["icon"] = icon
    if link:
        content |= {"link_label": link[0], "link_url": link[1]}
    tags = "toast volt" if by_rule else "toast"
    messages.add_message(request, level, json.dumps(content), extra_tags=tags)
