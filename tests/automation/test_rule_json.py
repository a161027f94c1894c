"""Rules as versions keep them: written, read again, and read as the first release wrote them."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import msgspec
import pytest

from automation.kinds.ticket_creation.action import NAME
from automation.rules.data import spec_from_json, spec_to_json
from tests.factories import ticket_spec

SPEC = ticket_spec(
    id=UUID(int=7),
    name="R",
    enabled=False,
    finding_types=("secret", "attack_path"),
    query="env:prod",
    target="jira",
    project_id=UUID(int=8),
    max_tickets_per_day=3,
    fields={"labels": ["x"]},
)


def stored(**changes):
    return json.loads(json.dumps(spec_to_json(SPEC))) | changes


def test_it_survives_json():
    spec = replace(SPEC, auto_disabled_reason="project gone")
    written = json.loads(json.dumps(spec_to_json(spec)))
    assert spec_from_json(NAME, written) == spec


def test_it_reads_what_the_first_release_wrote():
    flat = stored()
    flat |= flat.pop("action") | {"assignee_id": None}
    assert spec_from_json(NAME, flat) == SPEC


def test_it_takes_defaults_for_what_is_absent_and_passes_over_what_is_unknown():
    action = {name: stored()["action"][name] for name in ("target", "project_id")}
    action |= {"max_tickets_per_day": 3, "from_a_later_release": True}
    later = stored(action=action, from_a_later_release=1)
    assert spec_from_json(NAME, later).action == msgspec.structs.replace(SPEC.action, fields=None)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"action": {}}, msgspec.ValidationError),
        ({"action": {"target": "jira"}}, msgspec.ValidationError),
        ({"query": ...}, KeyError),
    ],
)
def test_it_refuses_what_is_not_a_rule(changes, error):
    said = {name: value for name, value in stored(**changes).items() if value is not ...}
    with pytest.raises(error):
        spec_from_json(NAME, said)
