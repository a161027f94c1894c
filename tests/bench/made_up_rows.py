"""Rows of the findings table, made up of problems and places; oldest first. Pure."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

from config.lib.utc import epoch_ms, midnight
from findings.facts import CONTAINER_IMAGE, FindingType, Ticket
from findings.formats.values.identity import RECIPE_VERSION
from findings.grouping import stored_values
from findings.recording.rows import NEW, as_json
from tests.bench.made_up import OF_CODE, MadeUp, Place, Problem

COLUMNS = (
    *NEW,
    *("ticket_rule_id", "ticketed_at", "resolved_at", "muted_until"),
    *("is_in_inbox", "due_at", "due_rule_id"),
)
DAYS, NEWEST, SHARE_OF_NEWEST = 365, 90, 0.65
"""Of the days that findings were opened on, the newest have this share."""
STATUSES = {"open": 0.54, "in-progress": 0.06, "resolved": 0.25, "auto_closed": 0.10, "muted": 0.05}
TICKETS = {Ticket.AUTOMATED: 0.025, Ticket.MANUAL: 0.005, Ticket.OVER_LIMIT: 0.01}
RESOURCES_OF_A_PLACE = 40
_DUE_RULE = UUID(int=7)
_GONE = ("resolved", "auto_closed")


class MadeCase(NamedTuple):
    """The case of a finding."""

    case_id: UUID
    number: int
    is_closed: bool
    rule: tuple[UUID, str] | None
    fingerprint: str
    title: str
    created_at: datetime

    @property
    def key(self) -> str:
        return f"SEC-{self.number}"

    @property
    def status(self) -> str:
        return "CLOSED" if self.is_closed else "OPEN"


class Rows:
    """Made one after another; `cases` grows with them."""

    def __init__(
        self, count: int, *, seed: int, rules: Sequence[tuple[UUID, str]], source_id: int,
        now: datetime,
    ) -> None:  # fmt: skip
        """`rules`: id and name of each that may have made a ticket."""
        self.count, self.rules, self.source_id, self.now = count, rules, source_id, now
        self.cases: list[MadeCase] = []
        self._random = Random(seed)
        made_up = MadeUp(seed)
        self._places = [(place, as_json(place.tags), _of_place(place)) for place in made_up.places]
        self._problems = [(each, _members(each), _of_problem(each)) for each in made_up.problems]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """In the order of `COLUMNS`, and then when it was last seen and when decided."""
        return map(self._row, range(self.count))

    def _row(self, number: int) -> tuple[Any, ...]:
        rand = self._random.random
        problem, members, grouping = self._problems[int(len(self._problems) * rand() ** 1.5)]
        place, tags, grouping_of_place = self._places[int(len(self._places) * rand() ** 1.7)]
        resource_id, name, kind, own = self._resource(number, problem, place)
        grouping = grouping | grouping_of_place
        if kind == CONTAINER_IMAGE:
            grouping = grouping | {"image": name.partition(":")[0]}
        opened = self._opened(number)
        status = self._one_of(STATUSES)
        gone = opened + (self.now - opened) * rand() if status in _GONE else None
        fingerprint = blake2b(f"{number}".encode(), digest_size=16).hexdigest()
        decided = opened + timedelta(seconds=1 + 9 * rand())
        case, ticket, rule = self._ticket(problem, fingerprint, decided, is_closed=bool(gone))
        due = midnight((opened + timedelta(days=30)).date()) if rand() < 0.15 else None
        is_in_inbox = rand() < 0.03
        muted = status == "muted"
        workflow = _workflow(case, rule, due, opened if is_in_inbox else None, is_muted=muted)
        return (
            fingerprint,
            RECIPE_VERSION,
            fingerprint,
            problem.finding_type.value,
            problem.title,
            problem.description,
            problem.severity,
            "",
            resource_id,
            name,
            kind,
            tags,
            f"{{{own}{members}}}",
            as_json(grouping),
            opened,
            None,
            urlsafe_b64encode(f"{fingerprint[:20]}~{resource_id[:200]}".encode()).decode(),
            self.source_id,
            None,
            status,
            workflow,
            ticket.value,
            case.key if case else "",
            case.status.lower() if case else "",
            gone or opened,
            opened,
            rule[0] if rule else None,
            decided if case else None,
            gone,
            self.now + timedelta(days=30 * rand()) if muted and rand() < 0.5 else None,
            is_in_inbox,
            due,
            _DUE_RULE if due else None,
            gone or self.now - timedelta(hours=24 * rand()),
            decided,
        )

    def _opened(self, number: int) -> datetime:
        """Ever later, as they were recorded."""
        share = 1 - number / self.count
        if share <= SHARE_OF_NEWEST:
            days = NEWEST * share / SHARE_OF_NEWEST
        else:
            days = NEWEST + (DAYS - NEWEST) * (share - SHARE_OF_NEWEST) / (1 - SHARE_OF_NEWEST)
        return self.now - timedelta(days=days)

    def _resource(self, number: int, problem: Problem, place: Place) -> tuple[str, str, str, str]:
        """Its id, name and type, and the members of the attributes that are of this one."""
        random = self._random
        index = int(RESOURCES_OF_A_PLACE * random.random())
        flag = "true" if random.random() < 0.2 else "false"
        if problem.finding_type in OF_CODE:
            line = random.randrange(1, 2_000)
            path = f"src/{place.service}/module_{index}/file_{number % 30_011}.py"
            file = f'"exploitable":{flag},"file":{{"line":{line},"path":"{path}"}},'
            return f"{place.repository}/{path}:{line}", f"{place.repository}/{index}", "file", file
        own = f'"exploitable":{flag},"account":"{100000000000 + index}","first_version":"1.0",'
        if problem.finding_type is FindingType.HOST_AND_CONTAINER and index % 2:
            name = f"registry.example.com/{place.service}:{index}"
            return f"{name}@sha256:{number:032x}", name, CONTAINER_IMAGE, own
        name = f"{place.service}-{place.env}-{index}"
        arn = f"arn:aws:ec2:eu-west-1:{100000000000 + index}:instance/i-{number:012x}"
        return arn, name, "host", own

    def _ticket(
        self, problem: Problem, fingerprint: str, at: datetime, *, is_closed: bool
    ) -> tuple[MadeCase | None, Ticket, tuple[UUID, str] | None]:
        ticket = self._one_of(TICKETS, default=Ticket.NONE)
        if ticket is Ticket.NONE or not self.rules:
            return None, Ticket.NONE, None
        rule = None if ticket is Ticket.MANUAL else self._random.choice(self.rules)
        if ticket is Ticket.OVER_LIMIT:
            return None, ticket, rule
        number = len(self.cases) + 1
        case_id = UUID(int=self._random.getrandbits(128))
        case = MadeCase(case_id, number, is_closed, rule, fingerprint, problem.title, at)
        self.cases.append(case)
        return case, ticket, rule

    def _one_of(self, shares: dict[Any, float], default: Any = "open") -> Any:
        left = self._random.random()
        for value, share in shares.items():
            left -= share
            if left < 0:
                return value
        return default


def _members(problem: Problem) -> str:
    """Of the attributes: as JSON without its braces."""
    return as_json(problem.attributes)[1:-1]


def _nothing() -> dict[str, Any]:
    return {
        "tags": (),
        "attributes": {},
        "resource_id": "",
        "resource_name": "",
        "resource_type": "",
    }


def _of_problem(problem: Problem) -> dict[str, str]:
    return stored_values(SimpleNamespace(**_nothing() | {"attributes": problem.attributes}))


def _of_place(place: Place) -> dict[str, str]:
    return stored_values(SimpleNamespace(**_nothing() | {"tags": place.tags}))


def _workflow(
    case: MadeCase | None,
    rule: tuple[UUID, str] | None,
    due: datetime | None,
    in_inbox: datetime | None,
    *,
    is_muted: bool,
) -> str:
    """As rules and people leave it behind; of most findings empty."""
    if not (case or due or in_inbox or is_muted):
        return "{}"
    workflow: dict[str, Any] = {}
    if is_muted:
        workflow["mute"] = {"is_muted": True, "reason": "RISK_ACCEPTED"}
    if due:
        workflow["due_date"] = {"due_at": epoch_ms(due), "rule_id": str(_DUE_RULE)}
    if in_inbox:
        workflow["security_inbox"] = {"added_at": epoch_ms(in_inbox), "added_by": None}
    if case:
        at = epoch_ms(case.created_at)
        document = {"id": str(case.case_id), "key": case.key, "status": case.status.lower()}
        document |= {"title": case.title}
        stamps = {"created_at": at, "updated_at": at}
        workflow["integrations"] = {"cases": [document | stamps]}
        if rule:
            names = {"rule_id": str(rule[0]), "rule_name": rule[1], "rule_type": "ticket_creation"}
            workflow["automations"] = [names]
    return as_json(workflow)
