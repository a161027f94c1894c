from __future__ import annotations

import json

import pytest

from automation.engine.rules import RuleSpec
from tests.automation.engine.strategies import rule


def test_it_survives_json():
    spec = rule("env:prod", finding_types=("secret", "attack_path"), broken="project gone")

    assert RuleSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_it_refuses_a_rule_with_a_part_missing():
    data = rule().to_json()
    del data["query"]

    with pytest.raises(KeyError, match="query"):
        RuleSpec.from_json(data)
