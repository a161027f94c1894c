"""Values of a finding in the fields of a ticket: `{{severity}}`, `{{tags.team}}`, `{{@cve}}`.

Pure. A value that was filled in is never itself looked at for placeholders.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from findings.facts import CORE_FIELDS, Facts, type_choice
from findings.query.predicate import document_path, each_item, path_items
from ticketing.drafts import plain, shorten
from ticketing.due_days import day_of, said
from ticketing.group_text import Summary

Scalar = str | int | float
Value = Scalar | list[Scalar] | None
"""What a placeholder stands for; None if the finding does not have it."""


class PlaceholderError(ValueError):
    """A text that cannot be filled; `str(error)` is a sentence that says what to do."""

    def __init__(self, position: int, sentence: str) -> None:
        super().__init__(sentence)
        self.position = position  # of the placeholder's first brace in its text, from 0
        self.sentence = sentence


class Name(NamedTuple):
    name: str
    what: str  # it is, for the help of the editor
    read: Callable[[Facts, str, str], Value]  # facts, url, rule name


class Templates(NamedTuple):
    """A rule's own summary and description; None where the usual one is meant."""

    summary: str | None
    description: str | None


# --- What can be named ------------------------------------------------------------------


def _at(facts: Facts, *paths: str) -> Value:
    """The first of the attributes that the finding has; the first item of a list."""
    for path in paths:
        found = _attribute(facts, path)
        if isinstance(found, list):
            found = found[0] if found else None
        if found is not None:
            return found
    return None


def _utc(when: datetime | None) -> Value:
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if when else None


def _due_date(facts: Facts) -> Value:
    return said(day_of(facts.workflow)) or None


NAMES: tuple[Name, ...] = (
    Name("title", "What was found", lambda f, *_: f.title),
    Name("severity", "Critical, High, Medium, Low, Info", lambda f, *_: f.severity.capitalize()),
    Name(
        "type",
        "The finding type, as in “Library Vulnerability”",
        lambda f, *_: type_choice(f.finding_type, f.resource_type).label,
    ),
    Name("description", "The scanner's description", lambda f, *_: f.description),
    Name(
        "resource",
        "Name of the resource, or its id",
        lambda f, *_: f.resource_name or f.resource_id,
    ),
    Name("resource_id", "Id of the resource", lambda f, *_: f.resource_id),
    Name("resource_name", "Name of the resource", lambda f, *_: f.resource_name),
    Name("resource_type", "Type of the resource", lambda f, *_: f.resource_type),
    Name("finding_id", "Id of the finding", lambda f, *_: f.finding_id),
    Name("first_seen", "When it was first seen", lambda f, *_: _utc(f.first_seen_at)),
    Name("last_seen", "When it was last seen", lambda f, *_: _utc(f.last_seen_at)),
    Name("due_date", "Finding due date", lambda f, *_: _due_date(f)),
    Name("cve", "CVE or advisory", lambda f, *_: _at(f, "advisory.cve", "cve", "advisory.id")),
    Name("package", "Name of the package", lambda f, *_: _at(f, "package.name")),
    Name("package_version", "Its version", lambda f, *_: _at(f, "package.version")),
    Name("fixed_version", "Version with the fix", lambda f, *_: _at(f, "package.fixed_version")),
    Name("tags", "All tags", lambda f, *_: list(f.tags)),
    Name("rule", "Name of the rule", lambda _f, _url, rule: rule),
    Name("url", "Address of the finding here", lambda _f, url, _rule: url),
)
OPEN_NAMES = (
    ("tags.KEY", "Value of a tag, as in {{tags.team}}"),
    ("@PATH", "An attribute, as in {{@package.name}}"),
    ("worst.NAME", "A value of the ticket's worst finding, as in {{worst.severity}}"),
)
"""What cannot be listed: everything that findings bring along."""


class GroupName(NamedTuple):
    """Something that is said of all findings of a ticket; of one finding alone, of that one."""

    name: str
    what: str
    read: Callable[[Summary], Value]


GROUP_NAMES: tuple[GroupName, ...] = (
    GroupName("count", "How many findings the ticket is for", lambda all_: all_.findings),
    GroupName("resources", "Their resources", lambda all_: [*all_.resources]),
    GroupName("repositories", "Their repositories", lambda all_: [*all_.repositories]),
    GroupName("versions", "Versions of the package", lambda all_: [*all_.versions]),
)
_WORST = "worst."
"""Before the name of any value of a finding: that of the ticket's worst one. A ticket for several
findings is filled from its worst, so that `{{severity}}` says the same."""

_NAMES = {name.name: name for name in NAMES}
_GROUP_NAMES = {name.name: name for name in GROUP_NAMES}
_TAG = re.compile(r"tags\.(?P<key>[^\s{}]{1,200})")
_PATH = re.compile(r"@(?P<path>[^\s{}.]{1,100}(?:\.[^\s{}.]{1,100}){0,19})")


def _attribute(facts: Facts, path: str) -> Value:
    """The values at a path; as in a query, a list on the way stands for its items."""
    if core := CORE_FIELDS.get(path):
        found = getattr(facts, core.column)
        return (_utc(found) if isinstance(found, datetime) else str(found)) if found else None
    column, keys = document_path(path)
    found_there = path_items(getattr(facts, column), keys)
    scalars = [scalar for item in found_there if (scalar := _scalar(item)) is not None]
    return scalars if len(scalars) > 1 else scalars[0] if scalars else None


def _scalar(value: Any) -> Scalar | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str | int | float) and value != "" else None


def _tag(facts: Facts, key: str) -> Value:
    """The values of a tag; as long as there is one, it alone."""
    prefix = f"{key}:"
    found: list[Scalar] = [tag[len(prefix) :] for tag in facts.tags if tag.startswith(prefix)]
    return found if len(found) > 1 else found[0] if found else None


# --- What a text names ------------------------------------------------------------------

_PLACEHOLDER = re.compile(r"\{\{[ \t]*(?P<name>[^{}\n]*?)[ \t]*\}\}")


def names_in(value: Any) -> frozenset[str]:
    """The names of every placeholder in a value, however deep."""
    return frozenset(
        found["name"] for text in _texts(value) for found in _PLACEHOLDER.finditer(text)
    )


def is_constant(value: Any) -> bool:
    """Whether the value is the same for every finding."""
    return not names_in(value)


def check(value: Any) -> None:
    """Raises PlaceholderError for the first placeholder that could never be filled."""
    for text in _texts(value):
        for found in _PLACEHOLDER.finditer(text):
            if not _is_known(found["name"]):
                raise PlaceholderError(
                    found.start(),
                    f"Nothing is called “{found[0]}”. Use a name from the list, "
                    "{{tags.key}} or {{@attribute.path}}.",
                )
        rest = _PLACEHOLDER.sub(lambda found: " " * len(found[0]), text)
        if (at := rest.find("{{")) >= 0:
            raise PlaceholderError(at, f"“{{{{” at character {at + 1} is not closed. Add “}}}}”.")


def _is_known(name: str) -> bool:
    if name in _GROUP_NAMES:
        return True
    name = name.removeprefix(_WORST)
    return name in _NAMES or any(form.fullmatch(name) is not None for form in (_TAG, _PATH))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)


# --- Filling ----------------------------------------------------------------------------


def fill(
    value: Any, facts: Facts, *, url: str, rule_name: str, group: Summary | None = None
) -> Any:
    """The value for one finding, or for the worst of a group; None where all of it is missing, so
    that it is left out.

    A text that is one placeholder becomes the value itself, be it a number or a list. In a
    longer text a missing value is nothing, and a list is written with commas. What holds no
    placeholder stays as it is.
    """
    if is_constant(value):
        return value
    if isinstance(value, str):
        if whole := _PLACEHOLDER.fullmatch(value.strip()):
            return _read(whole["name"], facts, url, rule_name, group)
        return _PLACEHOLDER.sub(
            lambda found: _text(_read(found["name"], facts, url, rule_name, group)), value
        )
    if isinstance(value, Mapping):
        pairs = {
            k: fill(v, facts, url=url, rule_name=rule_name, group=group) for k, v in value.items()
        }
        return {k: inner for k, inner in pairs.items() if not _is_missing(value[k], inner)} or None
    filled = [
        (inner, fill(inner, facts, url=url, rule_name=rule_name, group=group)) for inner in value
    ]
    found = [
        each_item([item]) if isinstance(inner, str) else [item]  # a list in the place of a text
        for inner, item in filled
        if not _is_missing(inner, item)
    ]
    return [item for items in found for item in items] or None


def _is_missing(value: Any, filled: Any) -> bool:
    return filled is None and not is_constant(value)


def fill_markdown(
    template: str, facts: Facts, *, url: str, rule_name: str, group: Summary | None = None
) -> str:
    """A Markdown text for one finding. A scanner's values stand in it as plain text, but for
    the description, which is Markdown itself."""

    def markdown(found: re.Match[str]) -> str:
        text = _text(_read(found["name"], facts, url, rule_name, group))
        return text.strip() if found["name"] in ("description", "url") else plain(text)

    return _PLACEHOLDER.sub(markdown, template)


def summary_and_description(
    fields: Mapping[str, Any],
    facts: Facts,
    *,
    url: str,
    rule_name: str,
    group: Summary | None = None,
) -> Templates:
    """What the rule's own templates under "summary" and "description" say of a finding."""
    summary, description = fields.get("summary"), fields.get("description")
    title = fill(summary, facts, url=url, rule_name=rule_name, group=group) if summary else None
    text = (
        fill_markdown(description, facts, url=url, rule_name=rule_name, group=group).strip()
        if isinstance(description, str)
        else ""
    )
    return Templates(shorten(_text(title)) or None, text or None)


def _read(name: str, facts: Facts, url: str, rule_name: str, group: Summary | None) -> Value:
    if of_all := _GROUP_NAMES.get(name):
        found = of_all.read(group or Summary.of([facts]))
        return None if found in ("", []) else found
    name = name.removeprefix(_WORST)
    if known := _NAMES.get(name):
        found = known.read(facts, url, rule_name)
    elif tag := _TAG.fullmatch(name):
        found = _tag(facts, tag["key"])
    elif path := _PATH.fullmatch(name):
        found = _attribute(facts, path["path"])
    else:
        found = None
    return None if found in ("", []) else found


def _text(value: Value) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
