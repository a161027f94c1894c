"""Who asks, the rows that addresses lead to, and ids that lead to nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django.test import Client
from django.urls import URLResolver, get_resolver

from automation.kinds.base import RuleKind
from automation.kinds.registry import KINDS
from automation.models import Rule, TestRun
from automation.rules import services as rules
from automation.rules.data import RuleData, spec_of, spec_to_json
from config.accounts.api_keys import create_api_key
from config.accounts.models import User
from config.accounts.roles import PERMISSIONS, Permission, Role
from findings.facts import FindingType
from findings.models import Import, SavedView
from findings.services import mute
from findings.undo import MUTE, recorded
from tests.api.kinds import KINDS as EXAMPLES
from tests.factories import (
    DestinationFactory,
    ExternalIssueFactory,
    FindingFactory,
    JiraAccountFactory,
    JiraIssueTemplateFactory,
    ProjectFactory,
    SourceFactory,
    UserFactory,
    ticket_rule,
)
from ticketing import services
from ticketing.api.v2.documents import STANDARD_TYPE
from ticketing.models import BulkRun

ELSEWHERE = "203.0.113.9"
"""Nobody asks from the machine that the site is on."""
NOBODY = UUID("99999999-9999-4999-8999-999999999999")
OUTSIDE: Mapping[str, object] = {
    **dict.fromkeys(("finding_id", "key", "case_id", "cell_id"), "no-such-thing"),
    **dict.fromkeys(("deed", "name", "ending", "slug", "kind", "card"), "no-such-thing"),
    **dict.fromkeys(("case_type_id", "project_id", "id", "object_id", "content_type_id"), NOBODY),
    **dict.fromkeys(("person_id", "user_id", "key_id", "import_id", "run_id", "issue_id"), NOBODY),
    **dict.fromkeys(("account_id", "act_id", "rule_id", "issue_template_id"), NOBODY),
    **dict.fromkeys(("view_id", "entry_id", "history_id", "version_id"), 999_999),
}
Ids = Mapping[str, object]

_AUTOMATION_2 = "api/v2/security/findings/automation"


class Asker(NamedTuple):
    """Somebody who asks, with what they may do; None is a stranger."""

    name: str
    client: Client
    permissions: frozenset[Permission] | None
    is_key: bool = False


class World(NamedTuple):
    people: list[Asker]
    keys: list[Asker]
    rows: Mapping[str, Ids]
    """Ids by the name of the parameter; where one name means two things, by the address."""

    def ids_of(self, pattern: str) -> Ids:
        return self.rows[max((each for each in self.rows if pattern.startswith(each)), key=len)]

    def named(self, *names: str) -> list[Asker]:
        return [each for each in (*self.people, *self.keys) if each.name in names]


def patterns(below: Any = None, before: str = "") -> Iterator[str]:
    """Every address there is, as its parts are written."""
    for each in below or get_resolver("config.urls").url_patterns:
        path = f"{before}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from patterns(each.url_patterns, path)
        else:
            yield path


def address(pattern: str, ids: Ids) -> str:
    """The pattern with these ids in it."""
    for name in ("object_id", "version_id"):
        pattern = pattern.replace("([^/]+)", f"<{name}>", 1)
    path = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", pattern).replace("^", "").replace("$", "")
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda part: str(ids[part[1]]), path)


def build() -> World:
    """Everybody and everything; the rows are the admin's where they are somebody's."""
    admin = UserFactory(name="Ada Admin", role=Role.ADMIN)
    return World(_people(admin), _keys(admin), _rows(admin))


def _client(**headers: str) -> Client:
    return Client(raise_request_exception=False, headers=headers, REMOTE_ADDR=ELSEWHERE)


def _people(admin: User) -> list[Asker]:
    def signed_in(role: Role) -> Asker:
        user, client = admin if role == Role.ADMIN else UserFactory(role=role), _client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return Asker(role.value, client, PERMISSIONS[role])

    return [Asker("stranger", _client(), None), *map(signed_in, Role)]


def _keys(admin: User) -> list[Asker]:
    def key(name: str, *scopes: Permission) -> Asker:
        raw = create_api_key(name, scopes=scopes, actor=admin)[1]
        client = _client(**{"DD-API-KEY": raw, "DD-APPLICATION-KEY": raw})
        return Asker(f"key {name}", client, frozenset(scopes), is_key=True)

    wrong = Asker("wrong key", _client(**{"DD-API-KEY": f"fa_{'x' * 43}"}), None, is_key=True)
    return [wrong, key("all", *Permission), *(key(each.value, each) for each in Permission)]


def _rule(kind: RuleKind, admin: User) -> UUID:
    [example] = [each.action for each in EXAMPLES if each.type == kind.resource_type]
    types = [FindingType.MISCONFIGURATION.value]
    data = RuleData(name=kind.label, finding_types=types, action=kind.read(example))
    return rules.create_rule(data, actor=admin).pk


def _view_of_cases(owner: User) -> int:
    page = SavedView.Page.CASES
    return SavedView.objects.create(name="Theirs", owner=owner, page=page).pk


def _act(admin: User) -> UUID:
    pk = FindingFactory().pk
    with recorded(MUTE, [pk], actor=admin) as recording:
        mute([pk], reason="OTHER", actor=admin)
    assert recording.act
    return recording.act.pk


def _rows(admin: User) -> Mapping[str, Ids]:
    account = JiraAccountFactory(site_url="https://127.0.0.1:9", api_url="https://127.0.0.1:9")
    place = DestinationFactory(account=account, project=ProjectFactory(key="SEC"))
    finding = FindingFactory()
    case = services.open_manual_case([finding.pk], project=place.project, actor=admin)
    entry = services.comment(case, "Said.", actor=admin)
    data = ticket_rule(
        name="Libraries",
        finding_types=[FindingType.LIBRARY.value],
        project_id=place.project_id,
        max_tickets_per_day=10,
    )
    rule = rules.create_rule(data, actor=admin)
    test = TestRun.objects.create(
        rule=spec_to_json(spec_of(rule)), finding=finding, created_by=admin
    )
    person = UserFactory().pk
    ids: dict[str, object] = {
        **dict.fromkeys(("person_id", "user_id"), person),
        "key_id": create_api_key("old", scopes=[Permission.CASES_READ], actor=None)[0].pk,
        "import_id": Import.objects.create(source=SourceFactory()).pk,
        "finding_id": finding.finding_id,
        "view_id": SavedView.objects.create(name="Theirs", owner=admin).pk,
        **dict.fromkeys(("key", "case_id"), case.key),
        "entry_id": entry.pk,
        "cell_id": UUID(int=entry.pk),
        "issue_id": ExternalIssueFactory(case=case, account=account).pk,
        "account_id": account.pk,
        "issue_template_id": JiraIssueTemplateFactory(account=account).pk,
        "rule_id": rule.pk,
        "history_id": Rule.history.filter(id=rule.pk).latest("history_id").history_id,
        "run_id": BulkRun.objects.create(deed=BulkRun.Deed.MUTE, actor=admin).pk,
        "act_id": _act(admin),
        "project_id": place.project_id,
        "case_type_id": STANDARD_TYPE,
        "name": "team",
        "slug": "mute",
        "kind": "inbox",
        "deed": "mute",
        "card": "days",
        "ending": "csv",
    }
    return {
        "": ids,
        "cases/projects/": ids | {"key": place.project.key},
        "cases/views/": ids | {"view_id": _view_of_cases(admin)},
        "settings/integrations/deliveries/": ids | {"deed": "retry"},
        "bulk/<uuid:run_id>/": ids | {"deed": "stop"},
        "tests/": ids | {"run_id": test.pk},
        **dict.fromkeys(
            ("rules/<slug:kind>/", f"{_AUTOMATION_2}/default_inbox_rules"),
            ids | {"rule_id": KINDS["inbox"].defaults[0].id},
        ),
        **{
            f"{_AUTOMATION_2}/{kind.resource_type}": ids | {"rule_id": _rule(kind, admin)}
            for kind in KINDS.values()
            if kind.acts_on_existing
        },
        "api/v2/cases/views/": ids | {"view_id": place.project_id},
    }
