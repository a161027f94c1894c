"""A package vulnerable in several versions, or by several ways, is one finding with all of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from findings.formats.normalised import Normalised, Rejected, normalise_mapped
from findings.formats.shapes.packages import VulnerablePackage
from findings.formats.values.identity import Firsts

HELD = 5_000  # records back to which a repeat is merged; one from further back is left out


class FoundPackage(NamedTuple):
    package: VulnerablePackage
    position: int
    pointer: str
    first_seen_at: Any = None


Outcome = FoundPackage | Normalised | Rejected


def merge_packages(
    found: Iterable[Outcome], *, latest: datetime
) -> Iterator[Normalised | Rejected]:
    """In the order in which they came first; what is no package goes through."""
    held: OrderedDict[str | int, Outcome] = OrderedDict()
    firsts = Firsts()
    for count, each in enumerate(found):
        key: str | int = each.package.fingerprint if isinstance(each, FoundPackage) else count
        first = held.get(key)
        if isinstance(first, FoundPackage) and isinstance(each, FoundPackage):
            held[key] = first._replace(package=first.package.merged(each.package))
        elif isinstance(key, int) or firsts.has(key):
            held[key] = each
        if len(held) > HELD:
            yield _read(held.popitem(last=False)[1], latest)
    for each in held.values():
        yield _read(each, latest)


def _read(outcome: Outcome, latest: datetime) -> Normalised | Rejected:
    if not isinstance(outcome, FoundPackage):
        return outcome
    package, position, pointer, since = outcome
    fields = package.record() | ({} if since is None else {"first_seen_at": since})
    return normalise_mapped(fields, position=position, at=pointer, latest=latest)
