"""`GET /api/v1/validate`, which known clients ask first."""

from __future__ import annotations

import pytest
from datadog_api_client.v1.api.authentication_api import AuthenticationApi

from config.accounts.roles import Permission

pytestmark = pytest.mark.django_db
URL = "/api/v1/validate"


@pytest.mark.parametrize("scope", [Permission.FINDINGS_INTAKE, Permission.AUDIT_READ])
def test_it_says_that_a_key_is_good_whatever_its_scopes(api, make_key, scope):
    answer = api.get(URL, headers={"DD-API-KEY": make_key(scope)})
    assert (answer.status_code, answer.json()) == (200, {"valid": True})


@pytest.mark.parametrize("headers", [{}, {"DD-API-KEY": "fa_nope"}])
def test_it_refuses_others_in_words(api, headers):
    answer = api.get(URL, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]) == (401, "Unauthorized")


@pytest.mark.django_db(transaction=True)
def test_the_client_validates_its_key(public_client, make_key):
    client = public_client(make_key(Permission.RULES_READ))
    assert AuthenticationApi(client).validate().valid is True
