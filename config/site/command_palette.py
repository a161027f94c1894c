"""Where a few typed letters may lead: pages, rules, cases, findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.http import urlencode

from automation.models import Rule
from automation.rules.templates import TEMPLATES
from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.search_text import typed
from findings.models import Finding
from ticketing.models import Case

MAX_RESULTS = 5  # of each kind
_PAGES = (
    ("Overview", "overview", "gauge", None),
    ("Findings", "findings:finding-list", "shield-alert", None),
    ("Cases", "ticketing:case-list", "briefcase", None),
    ("Findings Automation", "automation:rule-list", "zap", None),
    ("Add a rule", "automation:rule-create", "plus", Permission.RULES_WRITE),
    ("Evaluation log", "automation:evaluation-log", "scroll-text", None),
    ("Case projects", "ticketing:project-list", "briefcase", Permission.PROJECTS_WRITE),
    ("Integrations", "ticketing:integration-list", "plug", Permission.INTEGRATIONS),
    ("Delivery log", "ticketing:delivery-list", "scroll-text", Permission.INTEGRATIONS),
    ("Importers", "findings:importer-list", "upload", None),
    ("Upload a report", "findings:import-create", "upload", Permission.FINDINGS_INTAKE),
    ("API keys", "accounts:key-list", "key-round", Permission.API_KEYS),
    ("Users", "accounts:person-list", "users", Permission.USERS),
    ("Audit log", "accounts:audit-log", "scroll-text", Permission.AUDIT_READ),
    ("Data retention", "retention", "archive", Permission.AUDIT_READ),
)


@dataclass(frozen=True, slots=True)
class SearchResult:
    label: str
    kind: str
    url: str
    icon: str  # "bolt" is the tile of rules


def search(text: str, *, user: User) -> list[SearchResult]:
    """What the text may mean, the surest kinds first; at most three statements."""
    text = typed(text)
    found = list(_pages(text, user))
    if text:
        found += [*_rules(text, user), *_templates(text, user)]
        found += [*_cases(text), *_findings(text)]
        url = f"{reverse('findings:finding-list')}?{urlencode({'q': text})}"
        found.append(SearchResult(text, "Search findings", url, "search"))
    return found


def _pages(text: str, user: User) -> Iterator[SearchResult]:
    for label, name, icon, permission in _PAGES:
        if text.lower() in label.lower() and (permission is None or user.may(permission)):
            yield SearchResult(label, "Page", reverse(name), icon)


def _templates(text: str, user: User) -> Iterator[SearchResult]:
    """Rules to begin with, for who types a word of one."""
    if user.may(Permission.RULES_WRITE):
        for template in TEMPLATES:
            label = f"New rule: {template.name}"
            if text.lower() in label.lower():
                yield SearchResult(label, "Template", template.url, template.icon)


def _rules(text: str, user: User) -> Iterable[SearchResult]:
    rules = Rule.objects.filter(name__icontains=text)[:MAX_RESULTS]
    if user.may(Permission.RULES_WRITE):
        return [
            SearchResult(rule.name, "Rule", reverse("automation:rule-edit", args=[rule.pk]), "bolt")
            for rule in rules
        ]
    url = reverse("automation:rule-list")
    return [
        SearchResult(rule.name, "Rule", f"{url}?{urlencode({'q': rule.name})}", "bolt")
        for rule in rules
    ]


def _cases(text: str) -> Iterator[SearchResult]:
    named = Q(key__istartswith=text) | Q(title__icontains=text)
    cases = Case.objects.filter(named, archived_at=None).only("key", "title")
    for case in cases[:MAX_RESULTS]:
        url = reverse("ticketing:case-show", args=[case.key])
        yield SearchResult(f"{case.key} {case.title}", "Case", url, "briefcase")


def _findings(text: str) -> Iterator[SearchResult]:
    named = Q(finding_id=text) | Q(title__icontains=text)
    for finding in Finding.objects.filter(named).only("finding_id", "title")[:MAX_RESULTS]:
        url = reverse("findings:finding-show", args=[finding.finding_id])
        yield SearchResult(finding.title, "Finding", url, "shield-alert")
