"""The OpenAPI document against what the public API promises."""

from __future__ import annotations

import copy
from functools import cache

import pytest
import yaml

from config.lib.datadog_api.missing import MISSING
from tests.api.promises import EXTRACT, broken, operations, our_document, promise, reference

COMMITTED = yaml.safe_load(EXTRACT.read_text())
PROMISED, DEVIATIONS = COMMITTED["operations"], COMMITTED["deviations"]
REFERENCE = reference()
needs_reference = pytest.mark.skipif(REFERENCE is None, reason="OPENAPI_REFERENCE is not set")


@cache
def ours():
    document = our_document()
    return {name: promise(operation, document) for name, operation in operations(document)}


@pytest.mark.parametrize("name", PROMISED)
def test_it_keeps_what_is_promised(name):
    assert broken(PROMISED[name], ours()[name]) == DEVIATIONS.get(name, [])


BESIDE = {
    "GET /api/v2/current_user",
    "GET /api/v2/users",
    "GET /api/v2/users/{}",
    "GET /api/v2/validate",
    "GET /api/v2/validate_keys",
}
"""Of other parts of the public API than the schema is of: see `test_users.py`, whose client
knows them."""


def test_it_promises_nothing_of_its_own_at_the_public_addresses():
    """What is served there is in the public schema. After adding one: `promises.py`."""
    assert set(ours()) - set(PROMISED) == BESIDE


@needs_reference
def test_the_extract_is_what_the_schema_says():
    theirs = dict(operations(REFERENCE))
    assert {name: promise(theirs[name], REFERENCE) for name in PROMISED} == PROMISED


@needs_reference
def test_every_operation_is_served_or_said_to_be_missing():
    missing = {name for name, _ in operations({"paths": _paths_of_missing()})}
    assert {name for name, _ in operations(REFERENCE)} == set(ours()) - BESIDE | missing


def _paths_of_missing():
    paths = {}
    for row in MISSING:
        paths.setdefault(row.path, {})[row.method.lower()] = {}
    return paths


# --- The comparison itself notices -----------------------------------------------------------

POST = "POST /api/v2/security/findings/automation/ticket_creation_rules"
TARGET = "data.attributes.action.target"


def _without(part, path):
    def change(ours):
        del ours[part][path]

    return change


def _with(part, path, **said):
    return lambda ours: ours[part][path].update(said)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda ours: ours.update(success=200), "answers 200, not 201"),
        (lambda ours: ours["refusals"].remove(422), "does not document [422]"),
        (_without("request", "data.attributes.enabled"), "data.attributes.enabled is not known"),
        (_with("request", "data.attributes.enabled", required=True), "is required here alone"),
        (_with("request", "data.attributes.name", maxLength=100), "has maxLength 100, not 255"),
        (_with("request", "data.attributes.name", type="integer"), "is integer, not string"),
        (_without("response", "data.attributes.modified_by"), "modified_by is missing"),
        (_with("response", "data.attributes.name", required=False), "is not always there"),
        (_with("response", TARGET, enum=["jira", "fax"]), "may be ['fax']"),
        (_with("response", "data.id", type="integer"), "is integer, not string"),
    ],
)
def test_it_notices_a_broken_promise(change, fault):
    changed = copy.deepcopy(ours()[POST])
    change(changed)
    [found] = set(broken(PROMISED[POST], changed)) - set(DEVIATIONS.get(POST, []))
    assert fault in found
