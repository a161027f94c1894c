"""The requests that pages make, each of a kind with ever another value: what has been answered
before says nothing of what has not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle, islice
from random import Random
from typing import NamedTuple

from django.http import HttpResponseBase
from django.test import Client
from django.utils.http import urlencode

from findings.facts import TYPE_CHOICES
from findings.models import Finding
from tests.bench.made_up import TEAMS, MadeUp

HTMX = {"HX-Request": "true"}
RULES = "/settings/findings-automation"
RARE, COMMON = (0.002, 0.02), (0.1, 0.6)
"""Of the findings so many hold the word."""
SAMPLE = 4_000
MAX_WORDS = 20

Send = Callable[[Client], HttpResponseBase]


class Kind(NamedTuple):
    """Requests that differ by a value alone."""

    what: str
    requests: Sequence[Send]


def explorer(times: int) -> Iterator[Kind]:
    searches = _searches()
    for what, name in _PLACES.items():
        for search in _SEARCHES.get(what, tuple(searches)):
            values = islice(cycle(searches[search]), times)
            yield Kind(f"{what}, {search}", [_get(f"{name}{value}") for value in values])
    pks = [1 + nth * Finding.objects.count() // times for nth in range(times)]
    ids = Finding.objects.filter(pk__in=pks).values_list("finding_id", flat=True)
    panels = [_get(f"/findings/{each}", htmx=True) for each in ids]
    yield Kind("panel of a finding", panels)
    yield Kind("counts beside the tabs", [_get("/explorer/counts?", htmx=True)] * times)
    yield Kind("overview", [_get("/overview")] * times)
    yield Kind("overview by team", [_get("/overview?by=team")] * times)
    yield Kind("importers", [_get("/settings/importers")] * times)
    yield Kind("inbox", [_get("/inbox")] * times)
    yield Kind("inbox in groups", [_get("/findings?inbox=in&group=package")] * times)


def rules_page(count: int, times: int) -> Kind:
    return Kind(f"rules page, {count:,} rules", [_get(RULES)] * times)


def editor(project_id: object, times: int) -> Iterator[Kind]:
    """Of a rule that is not saved, placed after all others."""
    limits = range(1, 1 + times)
    for what, address in (
        ("preview of a draft rule", "/rules/preview"),
        ("list of Test Rule", "/rules/test"),
    ):
        forms = [_form(project_id, limit) for limit in limits]
        yield Kind(what, [_post(address, form) for form in forms])


_PLACES = {
    "list": "/findings?",
    "facets": "/explorer/facets?",
    "histogram": "/explorer/histogram?",
    "one tag facet": "/explorer/facets/service?",
    "groups by package": "/findings?group=package&",
    "groups by team": "/findings?group=team&",
    "groups by an attribute": "/findings?group=%40cwe&",
}
_SEARCHES = {
    "histogram": ("unfiltered", "by tags", "by a number"),
    "one tag facet": ("unfiltered", "by tags", "by severity"),
    "groups by package": ("unfiltered", "by tags", "by severity"),
    "groups by team": ("unfiltered",),
    "groups by an attribute": ("unfiltered",),
}


def _searches() -> Mapping[str, Sequence[str]]:
    """What is searched for → parts of an address."""
    teams = [MadeUp.team(number) for number in range(0, TEAMS, 2)]
    rare, common = _words()
    return {
        "unfiltered": [""],
        "by tags": [_q(f"team:{team} env:prod") for team in teams],
        "by severity": [
            urlencode([("severity", one), ("severity", other)])
            for one, other in (
                ("critical", "high"), ("high", "medium"), ("medium", "low"), ("low", "info"),
                ("critical", "medium"), ("high", "low"), ("medium", "info"), ("critical", "low"),
            )
        ],
        "by a number": [_q(f"@cvss.score:>{number / 10}") for number in range(50, 90, 2)],
        "by a wildcard": [_q(f"@package.name:*{number}") for number in range(11, 31)],
        "by a rare word": list(map(_q, rare)),
        "by a common word": list(map(_q, common)),
    }  # fmt: skip


def _words() -> tuple[list[str], list[str]]:
    """That few findings hold, and many: as a sample says."""
    count = Finding.objects.count()
    size = min(count, SAMPLE)
    pks = Random(1).sample(range(1, count + 1), size)
    seen: Counter[str] = Counter()
    for text in Finding.objects.filter(pk__in=pks).values_list("description", flat=True):
        seen.update(set(re.findall(r"[a-z]{4,}", text)))
    shares = {word: number / size for word, number in sorted(seen.items())}
    return tuple(  # type: ignore[return-value]
        [word for word, share in shares.items() if least <= share <= most][:MAX_WORDS]
        for least, most in (RARE, COMMON)
    )


def _q(query: str) -> str:
    return urlencode({"q": query})


def _form(project_id: object, limit: int) -> dict[str, object]:
    types = [each.value for each in TYPE_CHOICES]
    return {
        "name": "Draft",
        "types": types,
        "query": f"env:prod -team:{MadeUp.team(limit % TEAMS)}",
        "limit": str(limit),
        "project": str(project_id),
    }


def _get(address: str, *, htmx: bool = False) -> Send:
    headers = HTMX if htmx or address.startswith("/explorer/") else {}
    return lambda client: client.get(address.rstrip("?&"), headers=headers)


def _post(address: str, form: Mapping[str, object]) -> Send:
    return lambda client: client.post(address, dict(form), headers=HTMX)
