"""An XML element as the values that JSON would have, so that one reader serves both."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element


def values_of(element: Element) -> Any:
    """Its text, if it has neither attributes nor children; else a mapping of both by local name.

    A name that comes more than once gives the list of its values; beside children and
    attributes the element's own text is under "".
    """
    content = (element.text or "").strip()
    if not len(element) and not element.attrib:
        return content
    found: dict[str, Any] = {_local(name): value for name, value in element.attrib.items()}
    if content:
        found[""] = content
    for child in element:
        name, value = _local(child.tag), values_of(child)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def listed(value: Any, *steps: str) -> list[Any]:
    """The values at the steps, of which XML with a single one makes no list."""
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, list) else [] if value in (None, "") else [value]


def _local(name: str) -> str:
    return name.rpartition("}")[2]
