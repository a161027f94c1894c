"""The only way tests make rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

import factory
from django.db import transaction
from django.utils import timezone
from factory.django import DjangoModelFactory

from automation.engine.rules import RuleSpec
from automation.kinds.ticket_creation.action import NAME, CreateTicket, Target
from automation.models import Rule
from automation.rules.data import RuleData, rule_spec
from config.accounts.models import KeptAnswer, User
from config.accounts.roles import Role
from findings.facts import FindingType, Severity
from findings.formats.normalised import Normalised
from findings.grouping import stored_values
from findings.models import Evaluation, Finding, Source
from ticketing.models import (
    Case,
    Destination,
    ExternalIssue,
    JiraAccount,
    JiraIssueTemplate,
    Project,
)
from ticketing.services import CaseDraft, open_cases


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    name = factory.Sequence(lambda n: f"Person {n}")
    role = Role.VIEWER


class KeptAnswerFactory(DjangoModelFactory):
    """A request that is still at work."""

    class Meta:
        model = KeptAnswer

    owner = factory.LazyFunction(uuid.uuid4)
    key = factory.Sequence(lambda n: f"request-{n}")


class SourceFactory(DjangoModelFactory):
    class Meta:
        model = Source
        django_get_or_create = ("name",)

    name = "scanner"


class FindingFactory(DjangoModelFactory):
    """A finding that nobody has to evaluate; pass `unevaluated_since` for one that waits."""

    class Meta:
        model = Finding

    source = factory.SubFactory(SourceFactory)
    fingerprint = factory.Sequence(lambda n: f"fingerprint-{n}")
    finding_id = factory.Sequence(lambda n: f"ZmluZGluZw-{n}")
    digest = factory.Sequence(lambda n: f"{n:032x}")
    finding_type = FindingType.LIBRARY
    title = factory.Sequence(lambda n: f"Finding {n}")
    severity = Severity.HIGH
    resource_id = factory.Sequence(lambda n: f"resource-{n}")
    resource_name = ""
    resource_type = ""
    tags = factory.LazyFunction(list)
    attributes = factory.LazyFunction(dict)
    grouping = factory.LazyAttribute(stored_values)
    first_seen_at = factory.LazyFunction(timezone.now)
    last_seen_at = factory.SelfAttribute("first_seen_at")
    detection_changed_at = factory.SelfAttribute("first_seen_at")
    opened_at = factory.SelfAttribute("first_seen_at")

    @classmethod
    def _build(cls, model_class: type[Finding], *args: Any, **kwargs: Any) -> Finding:
        """With its evaluation, whose fields are said beside the finding's own."""
        names = {field.name for field in Evaluation._meta.fields} & kwargs.keys()
        evaluation = Evaluation(**{name: kwargs.pop(name) for name in names})
        finding = model_class(*args, **kwargs)
        finding.evaluation = evaluation
        return finding

    @classmethod
    def _create(cls, model_class: type[Finding], *args: Any, **kwargs: Any) -> Finding:
        finding = cls._build(model_class, *args, **kwargs)
        finding.save(force_insert=True)
        finding.evaluation.finding = finding
        finding.evaluation.save(force_insert=True)
        return finding


def create_findings(built: Iterable[Finding]) -> list[Finding]:
    """Store many that were built, with their evaluations."""
    findings = Finding.objects.bulk_create(built)
    for finding in findings:
        finding.evaluation.finding = finding
    Evaluation.objects.bulk_create(finding.evaluation for finding in findings)
    return findings


class ProjectFactory(DjangoModelFactory):
    class Meta:
        model = Project

    key = factory.Sequence(lambda n: f"P{n}")
    name = factory.Sequence(lambda n: f"Project {n}")


class JiraAccountFactory(DjangoModelFactory):
    """Connected, at an address that nobody answers; tests with a server pass its `site_url`."""

    class Meta:
        model = JiraAccount

    name = factory.Sequence(lambda n: f"acme-{n}")
    site_url = factory.LazyAttribute(lambda o: f"https://{o.name}.atlassian.example")
    api_url = factory.SelfAttribute("site_url")
    email = "svc-findings@acme.example"
    token = "token-of-the-account"
    user_id = "svc-findings"
    user_name = "Findings Service"
    connected_at = factory.LazyFunction(timezone.now)


class JiraIssueTemplateFactory(DjangoModelFactory):
    class Meta:
        model = JiraIssueTemplate

    account = factory.SubFactory(JiraAccountFactory)
    name = factory.Sequence(lambda n: f"Template {n}")
    space_id = "10000"
    type_id = "10001"


class DestinationFactory(DjangoModelFactory):
    class Meta:
        model = Destination

    project = factory.SubFactory(ProjectFactory)
    account = factory.SubFactory(JiraAccountFactory)
    space_id = "10000"
    space_key = "SEC"
    space_name = "Security Engineering"
    type_id = "10001"
    type_name = "Task"


@transaction.atomic
def opened_case(project: Project, **said: object) -> Case:
    """A case without findings, opened by its service."""
    [case] = open_cases(
        [
            CaseDraft(
                **{
                    "project_id": project.pk,
                    "title": "Outdated library",
                    "description": "",
                    "priority": Case.Priority.P2,
                    "origin": Case.Origin.MANUAL,
                }
                | said
            )
        ]
    )
    return case


class ExternalIssueFactory(DjangoModelFactory):
    """A promise that waits to be delivered."""

    class Meta:
        model = ExternalIssue

    account = factory.SubFactory(JiraAccountFactory)
    case = factory.LazyFunction(lambda: opened_case(ProjectFactory()))
    space_id = "10000"
    space_key = "SEC"
    type_id = "10001"


class RuleFactory(DjangoModelFactory):
    """A bare row, outside any rule-set version. Rules that act come from `rules.services`."""

    class Meta:
        model = Rule
        exclude = ("target", "project_id", "max_tickets_per_day")

    name = factory.Sequence(lambda n: f"Rule {n}")
    position = factory.Sequence(lambda n: n)
    kind = NAME
    finding_types = factory.LazyFunction(lambda: [FindingType.LIBRARY.value])
    target = Target.CASE_MANAGEMENT.value
    project_id = factory.LazyFunction(lambda: ProjectFactory().id)
    max_tickets_per_day = 10
    action = factory.LazyAttribute(
        lambda rule: {
            "target": str(rule.target),
            "project_id": str(rule.project_id),
            "max_tickets_per_day": rule.max_tickets_per_day,
        }
    )


def ticket_rule(
    *,
    target=Target.CASE_MANAGEMENT,
    project_id,
    max_tickets_per_day,
    assignee_id=None,
    fields=None,
    group_by=None,
    reopens_closed=None,
    **criteria,
) -> RuleData:
    """What is said of a rule that creates tickets."""
    action = CreateTicket(
        target=target,
        project_id=project_id,
        max_tickets_per_day=max_tickets_per_day,
        assignee_id=assignee_id,
        fields=fields,
        group_by=group_by,
        reopens_closed=reopens_closed,
    )
    return RuleData(action=action, **criteria)


def ticket_spec(*, id, **said) -> RuleSpec:
    """A rule that creates tickets, as the engine knows it."""
    return replace(rule_spec(UUID(int=0), ticket_rule(**said)), id=str(id))


def reported(number: int = 1, *, prefix: str = "r", **fields: object) -> list[Normalised]:
    """What a source reports: `number` different findings, alike but for their identity."""
    said = {
        "finding_type": FindingType.LIBRARY.value,
        "title": "Outdated library",
        "attributes": {},
        "severity": Severity.HIGH.value,
    } | fields
    return [
        Normalised(**{"resource_id": f"{prefix}-{n}", "fingerprint": f"{prefix}-{n}"} | said)
        for n in range(number)
    ]
