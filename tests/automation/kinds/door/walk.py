"""Run in a copy of the project in which the kind `review` is registered: every door opens."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.test import Client
from django.test.utils import setup_test_environment

from automation.models import Decision, Rule
from automation.pipeline import evaluate_all
from automation.recheck import recheck
from config.accounts.api_keys import create_api_key
from config.accounts.models import User
from config.accounts.roles import Permission
from findings.formats.normalised import Normalised
from findings.models import Finding, Source
from findings.services import record

LIST = "/settings/findings-automation"
API = "/api/v2/security/findings/automation/review_rules"


def walk() -> None:
    setup_test_environment()
    settings.ALLOWED_HOSTS = ["testserver"]
    person = User.objects.create(email="a@example.com", name="Ada", role="admin")
    browser = Client()
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    said = {"name": "Ours", "types": ["secret"], "query": "", "by": "Grace"}

    assert "Reviewer" in shown(browser, f"{LIST}/ask_for_review/new")
    saved = browser.post(f"{LIST}/ask_for_review/new", said)
    assert saved.status_code == 302, saved.content.decode()
    rule = Rule.objects.get()
    assert "Ours" in shown(browser, LIST)
    assert "Grace" in shown(browser, f"{LIST}/{rule.pk}/edit")
    assert "Grace" in shown(browser, "/admin/automation/rule/?kind=review")

    by_api(person, rule)
    by_rules(browser)


def shown(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def by_api(person: User, rule: Rule) -> None:
    raw = create_api_key("ci", scopes=list(Permission), actor=person)[1]
    machine = Client(headers={"DD-API-KEY": raw, "DD-APPLICATION-KEY": raw})
    document: dict[str, Any] = machine.get(f"{API}/{rule.pk}").json()["data"]
    assert document["attributes"]["action"] == {"by": "Grace"}
    document["attributes"]["action"]["by"] = "Linus"
    body = json.dumps({"data": document})
    answer = machine.put(f"{API}/{rule.pk}", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert "review_rules" in machine.get("/api/schema").content.decode()


def by_rules(browser: Client) -> None:
    """New findings and those that are there, each with its decision and its Why?"""
    leak = Normalised("secret", "Key", "high", "a", fingerprint="1")
    record([leak], source=Source.objects.create(name="s"))
    evaluate_all()
    finding = Finding.objects.get()
    assert finding.workflow["review"]["by"] == "Linus"
    assert Decision.objects.get(kind="review").outcome == "applied"
    assert "Reviewed by Linus" in shown(browser, f"/findings/{finding.finding_id}?tab=why")
    browser.post(f"/rules/{Rule.objects.get().pk}/toggle", {})
    assert recheck()
    assert "review" not in Finding.objects.get().workflow
    assert not Decision.objects.filter(kind="review").exists()
