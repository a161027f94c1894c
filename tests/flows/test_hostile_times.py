"""Clocks that stand still or go back must never stop the pipeline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from automation.decisions.conservation import violations
from automation.models import Decision
from automation.pipeline import evaluate_all
from findings.facts import Status
from findings.models import Finding
from findings.services import change_status, record
from tests.conftest import NOON
from tests.factories import ProjectFactory, SourceFactory, reported
from ticketing.services import detach, open_manual_case

pytestmark = pytest.mark.django_db


def send():
    return record(reported(), source=SourceFactory())


def resolve():
    change_status([Finding.objects.get().pk], status=Status.RESOLVED, actor=None)


@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=-1), timedelta(days=-2)])
def test_it_evaluates_again_what_opens_again_at_the_same_time_or_before(frozen, later):
    for _ in range(4):
        send()
        evaluate_all()
        resolve()
        frozen.move_to(NOON + later)
    assert Decision.objects.count() == 4
    assert list(violations()) == []


def test_it_decides_a_finding_that_got_a_case_while_its_evaluation_was_withdrawn():
    send()
    resolve()
    pk = Finding.objects.get().pk
    open_manual_case([pk], project=ProjectFactory(), actor=None)
    assert send().reopened == 1
    evaluate_all()
    detach([pk], actor=None)
    assert list(violations()) == []
