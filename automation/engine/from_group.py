"""A group of the explorer → conditions of a rule that its findings meet.

A rule reads what scanners reported. Where a group's value was worked out from it (a package of
any spelling, an image without its tag), the rule asks for the common spellings: it is named what
that leaves open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from findings.facts import CONTAINER_IMAGE
from findings.grouping import MAX_VALUE, attribute_path, group_field, tag_key
from findings.query.ast import (
    And,
    AnyPiece,
    Exact,
    Exists,
    Field,
    Node,
    Not,
    Or,
    Piece,
    Root,
    Term,
    Wildcard,
    Words,
)
from findings.query.canonical import write

RUN, CHAR = AnyPiece.RUN, AnyPiece.CHAR


class GroupCriteria(NamedTuple):
    kept: Sequence[str]  # texts of conditions
    left_out: Sequence[str]  # in words


def criteria_of_groups(
    names: Sequence[str],
    groups: Sequence[Sequence[str]],
    *,
    lone: bool = False,
    every: bool = False,
) -> GroupCriteria:
    """Findings of any of these groups; `lone`: or in none; `every`: or in any."""
    fields = [_field(name) for name in names]
    if lone or every:
        if lone and every and not groups:
            return GroupCriteria((), ())
        return _present(names, fields, lone=lone, alone=not groups and lone != every)
    left_out = dict.fromkeys(_LEFT_OUT[name] for name in names if name in _LEFT_OUT)
    if any(len(value) >= MAX_VALUE for values in groups for value in values):
        return GroupCriteria((), [f"the {_nouns(names)}, which is too long"])
    every_group = [_all_of([_is(*each) for each in zip(names, of, strict=True)]) for of in groups]
    return GroupCriteria([write(_any_of(every_group))] if groups else (), [*left_out])


def _present(
    names: Sequence[str], fields: Sequence[Field | None], *, lone: bool, alone: bool
) -> GroupCriteria:
    known = [field for field in fields if field]
    if not alone or len(known) < len(fields):
        return GroupCriteria((), [f"{'without' if lone else 'with'} {_nouns(names)}"])
    present = _all_of([Term(field, Exists()) for field in known])
    return GroupCriteria([write(Not(present) if lone else present)], ())


def _field(name: str) -> Field | None:
    """A tag or an attribute that the group's value is that of."""
    if key := tag_key(name):
        return Field(Root.TAG, key)
    path = {"resource": "resource_id", "correlation": "correlation_id"}.get(name)
    path = path or attribute_path(name)
    return Field(Root.ATTRIBUTE, path) if path else None


def _nouns(names: Sequence[str]) -> str:
    return " and ".join(group_field(name).short for name in names)


def _is(name: str, value: str) -> Node:
    field = _field(name)
    return Term(field, Exact(value)) if field else _WORKED_OUT[name](value)


def _vulnerability(value: str) -> Node:
    own = _exact("advisory.id", value)
    if not value.startswith("CVE-"):
        return own
    names = ("advisory.cve", "advisory.aliases", "cve")
    return Or((own, *(_exact(name, value) for name in names)))


def _package(value: str) -> Node:
    kind, slash, name = value.partition("/")
    if not slash:
        return _exact("package.name", value)
    names = [_exact("package.name", name)]
    if kind == "maven" and "/" in name:
        names.append(_exact("package.name", name.replace("/", ":", 1)))
    return _any_of([*names, _like("package.purl", f"pkg:{kind}/{name}@", RUN)])


def _rule(value: str) -> Node:
    return _exact("rule.id", value.rpartition(" ")[2])


def _image(value: str) -> Node:
    of_image = Term(Field(Root.ATTRIBUTE, "resource_type"), Exact(CONTAINER_IMAGE))
    own, resource = (
        Or((_exact(name, value), _like(name, f"{value}:", RUN), _like(name, f"{value}@", RUN)))
        for name in ("container_image.name", "resource_name")
    )
    return Or((own, And((of_image, resource))))


def _repository(value: str) -> Node:
    """Over https, ssh or by its name alone; `host:path` is how ssh writes it."""
    host, slash, path = value.partition("/")
    pieces: tuple[Piece, ...] = (host, CHAR, path) if slash else (value,)
    attribute, tag = Field(Root.ATTRIBUTE, "git.repository"), Field(Root.TAG, "repo")
    return Or(
        tuple(
            Term(field, Wildcard((RUN, *pieces[:-1], f"{pieces[-1]}{ending}")))
            for field in (attribute, tag)
            for ending in ("", ".git")
        )
    )


def _title(value: str) -> Node:
    return Term(Field(Root.TEXT), Words((value,)))


_WORKED_OUT: Mapping[str, Callable[[str], Node]] = {
    "package": _package,
    "vulnerability": _vulnerability,
    "rule": _rule,
    "image": _image,
    "repository": _repository,
    "title": _title,
}
_LEFT_OUT = {
    "package": "the package’s ecosystem",
    "rule": "the rule’s scanner",
    "title": "that the title has no other words",
}


def _exact(path: str, value: str) -> Node:
    return Term(Field(Root.ATTRIBUTE, path), Exact(value))


def _like(path: str, *pieces: Piece) -> Node:
    return Term(Field(Root.ATTRIBUTE, path), Wildcard(pieces))


def _all_of(nodes: Sequence[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else And(tuple(nodes))


def _any_of(nodes: Sequence[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))
