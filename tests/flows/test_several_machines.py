"""Machines that share nothing but a database (and, when asked for, a Redis)."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.machines import Machine, Place, fresh_database, redis_server, wait_until

LIMIT = 7
ALONE = 60  # findings that each machine alone is sent
SHARED = 20  # findings that both are sent, at once
ALL = 2 * ALONE + SHARED
SET_UP = f"""
from automation.rules.services import create_rule
from tests.factories import ticket_rule
from config.accounts.api_keys import create_api_key
from config.accounts.roles import Permission
from ticketing.projects import create_project
project = create_project(key="SEC", name="Security", actor=None)
create_rule(
    ticket_rule(
        name="All",
        finding_types=["library_vulnerability"],
        project_id=project.pk,
        max_tickets_per_day={LIMIT},
    ),
    actor=None,
)
print(create_api_key("test", scopes=[Permission.FINDINGS_INTAKE], actor=None)[1])
"""

pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("DATABASE_URL", "").startswith("postgres"),
        reason="several machines need PostgreSQL",
    ),
    pytest.mark.slow,
    pytest.mark.timeout(240),
]


@pytest.fixture
def database():
    with fresh_database() as url:
        yield url


@pytest.fixture(params=["database", "redis"])
def machines(request, database, tmp_path):
    """Two, started at the same moment on an empty database: web and two workers each."""
    shared = {"SECRET_KEY": "one-key-for-all-machines-0123456789-abcdef"}
    if request.param == "redis":
        shared["REDIS_URL"] = request.getfixturevalue("redis_url")
    places = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        places.append(Place(tmp_path / name, database))
    running = [Machine(place, "up", "--no-sample", "--workers", "2", **shared) for place in places]
    for machine in running:
        machine.wait_for("Ctrl-C stops it", seconds=120)
    yield running
    for place in places:
        place.kill_all()


@pytest.fixture
def redis_url(tmp_path):
    with redis_server(tmp_path) as url:
        yield url


def findings(*fingerprints: str) -> dict:
    return {
        "source": "scanner",
        "findings": [
            {
                "finding_type": "library_vulnerability",
                "title": f"Library {fingerprint}",
                "severity": "high",
                "resource_id": "shop",
                "fingerprint": fingerprint,
            }
            for fingerprint in fingerprints
        ],
    }


def send_at_once(machines: list[Machine], key: str) -> None:
    """Each machine gets findings of its own and some that the other gets at the same moment."""
    batches = [
        (machine, [f"{name}-{n}" for n in range(start, start + 10)])
        for name, count in (("alone", ALONE), ("shared", SHARED))
        for start in range(0, count, 10)
        for machine in machines
    ]
    with ThreadPoolExecutor(8) as pool:
        sent = [
            pool.submit(
                machine.post,
                "/api/v1/findings",
                findings(*(f if "shared" in f else f"{machine.port}-{f}" for f in batch)),
                key=key,
            )
            for machine, batch in batches
        ]
        assert {answer.result() for answer in sent} <= {200, 201, 202}


def test_it_decides_every_finding_once_on_several_machines(machines, database):
    one, two = machines
    key = one.place.run("shell", "--command", SET_UP).stdout.split()[-1]
    with psycopg.connect(database, autocommit=True) as session:

        def count(sql: str) -> int:
            return session.execute(f"SELECT count(*) FROM {sql}").fetchone()[0]

        wait_until(lambda: count("runtime_heartbeat") == 2)
        send_at_once(machines, key)
        wait_until(lambda: count("automation_decision") == ALL, seconds=60)
        assert count("findings_evaluation WHERE unevaluated_since IS NOT NULL") == 0
        assert count("(SELECT DISTINCT finding_id FROM automation_decision) AS decided") == ALL
        assert count("automation_decision WHERE outcome = 'ticketed'") == LIMIT
        assert count("automation_decision WHERE outcome = 'over_limit'") == ALL - LIMIT
        assert count("ticketing_case WHERE origin = 'rule'") == LIMIT
        assert count("ticketing_case WHERE origin = 'limit_notice'") == 1
    assert one.stop(signal.SIGTERM) == 0
    assert two.is_ready()
    assert two.stop(signal.SIGTERM) == 0
