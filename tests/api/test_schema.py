"""The OpenAPI document and its Swagger page."""

from __future__ import annotations

import re
from io import StringIO

import pytest
import yaml
from django.core.management import call_command
from django.urls import get_resolver
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.views import APIView

from config.accounts.api import (
    CurrentUserView,
    ValidateKeysView,
    ValidateKeyView,
    ValidateView,
)
from config.accounts.roles import Permission
from ticketing.api.webhooks import WebhookView

ADDRESS = re.compile(r"""(?:src|href)=["'](.*?)["']""")


@pytest.fixture(scope="module")
def document():
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    return yaml.safe_load(out.getvalue())


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_it_is_made_without_a_warning(document):
    assert "/api/v1/findings" in document["paths"]


def test_it_names_the_three_headers(document):
    schemes = document["components"]["securitySchemes"]
    assert schemes["apiKeyAuth"]["name"] == "DD-API-KEY"
    assert schemes["appKeyAuth"]["name"] == "DD-APPLICATION-KEY"
    assert schemes["AuthZ"]["scheme"] == "bearer"


def test_it_documents_the_errors_of_every_operation(document):
    for name, operation in operations(document):
        missing = {"400", "401", "403", "429"} - set(operation["responses"])
        assert not missing, name
        assert ("404" in operation["responses"]) or "{" not in name, name


def test_it_gives_every_operation_a_summary_and_its_own_id(document):
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert all(operation.get("summary") for _, operation in operations(document))


def test_it_finds_operations_under_their_nouns(document):
    tags = {name: operation["tags"] for name, operation in operations(document)}
    assert tags["post /api/v1/findings"] == ["Findings"]
    assert tags["get /api/v1/validate"] == ["Keys"]
    rules = "/api/v2/security/findings/automation/ticket_creation_rules"
    assert tags[f"get {rules}"] == ["Rules"]


def views(patterns):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from views(pattern.url_patterns)
        elif issubclass(getattr(pattern.callback, "cls", object), APIView):
            yield pattern.callback.cls


OPEN_TO_EVERY_KEY = (ValidateView, ValidateKeyView, ValidateKeysView, CurrentUserView)
"""See test_validate and test_users."""


def test_it_guards_every_method_of_every_view():
    ours = [
        view
        for view in views(get_resolver("config.urls").url_patterns)
        if not issubclass(view, SpectacularAPIView | SpectacularSwaggerView)
        and view is not WebhookView  # guarded by the signature of each request: test_webhook
        and view not in OPEN_TO_EVERY_KEY
    ]
    assert ours
    for view in ours:
        handled = {m.upper() for m in view.http_method_names if m in vars(view)}
        assert handled == set(view.required_permissions), view
        assert set(view.required_permissions.values()) <= set(Permission), view


@pytest.mark.django_db
def test_it_serves_the_document_to_everybody(client):
    document = client.get("/api/schema")
    assert document.status_code == 200
    assert yaml.safe_load(document.content)["openapi"].startswith("3.")


@pytest.mark.django_db
def test_it_makes_the_document_once_and_sends_it_to_nobody_twice(client, monkeypatch):
    first = client.get("/api/schema")
    monkeypatch.setattr(SchemaGenerator, "get_schema", None)
    again = client.get("/api/schema", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/api/schema").content == first.content


@pytest.mark.django_db
def test_it_shows_swagger_from_our_own_files_only(client):
    page = client.get("/api/docs/")
    assert page.status_code == 200
    addresses = ADDRESS.findall(page.content.decode())
    assert any("swagger-ui" in address for address in addresses)
    assert [a for a in addresses if not a.startswith("/")] == []
    assert "https://" not in page.content.decode()
