from __future__ import annotations

import pytest
from datadog_api_client import ApiClient, Configuration
from django.test import Client

from config.accounts.api_keys import create_api_key
from config.accounts.roles import Permission
from tests.api.asking import Machine
from tests.api.rules import URL


@pytest.fixture
def make_key(db):
    """`make_key(Permission.FINDINGS_READ)` is the raw text of a new key with these scopes."""

    def make(*scopes: Permission, name: str = "ci", **options) -> str:
        return create_api_key(name, scopes=scopes, actor=None, **options)[1]

    return make


@pytest.fixture
def api() -> Client:
    """A machine: no cookies, and a crash is an answer, as in real life."""
    return Client(raise_request_exception=False)


@pytest.fixture
def machine(api, admin):
    """`machine(Permission.CASES_READ)` asks with a key of these scopes, which Ada has made."""

    def with_scopes(*scopes: Permission) -> Machine:
        return Machine(api, create_api_key("ci", scopes=scopes, actor=admin)[1])

    return with_scopes


@pytest.fixture
def rules_key(editor):
    scopes = (Permission.RULES_READ, Permission.RULES_WRITE)
    return create_api_key("terraform", scopes=scopes, actor=editor)[1]


@pytest.fixture
def ask(api, rules_key):
    """`ask("post", "/reorder", {…})` is the answer to a key that may read and write rules."""

    def send(method, path="", body=None, content_type="application/json", **headers):
        headers = {"DD-API-KEY": rules_key, "DD-APPLICATION-KEY": rules_key} | headers
        sent = {} if body is None else {"data": body, "content_type": content_type}
        return getattr(api, method)(f"{URL}{path}", headers=headers, **sent)

    return send


@pytest.fixture
def public_client(live_server):
    """`public_client(raw)` is the public API's own client, pointed at us, with this key."""
    opened = []

    def connect(raw: str) -> ApiClient:
        configuration = Configuration(
            host=live_server.url, api_key={"apiKeyAuth": raw, "appKeyAuth": raw}
        )
        configuration.unstable_operations.values.clear()  # which are refused or warned of
        opened.append(ApiClient(configuration))
        return opened[-1]

    yield connect
    for client in opened:
        client.close()
