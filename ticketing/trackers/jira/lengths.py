"""Text as short as Jira wants it, counted as Jira counts: in units of UTF-16. Pure.

A character outside the basic plane, an emoji for one, counts twice and is never split.
"""

from __future__ import annotations

from ticketing.trackers.jira import prose

MAX_LINE = 254
"""A summary and every field of one line: Jira says 255 and means less than that."""
MAX_LABEL = 255
MAX_TEXT = 32_767


def length(text: str) -> int:
    return len(text) + sum(1 for character in text if character > "\uffff")


def cut(text: str, limit: int, *, ending: str = "") -> str:
    """`text` itself if it is short enough, else its beginning and `ending`."""
    if length(text) <= limit:
        return text
    room = limit - length(ending)
    end = used = 0
    for character in text:
        used += 2 if character > "\uffff" else 1
        if used > room:
            break
        end += 1
    return f"{text[:end].rstrip()}{ending}"


def one_line(text: str, limit: int = MAX_LINE) -> str:
    """On one line, for fields that have no second one."""
    return cut(" ".join(prose.clean(text).split()), limit, ending="…")


def summary(text: str, limit: int = MAX_LINE) -> str:
    """No issue is without one."""
    return one_line(text, limit) or "Untitled"


def label(text: str) -> str:
    """A label holds no space: words are joined by hyphens."""
    return cut("-".join(prose.clean(text).split()), MAX_LABEL)
