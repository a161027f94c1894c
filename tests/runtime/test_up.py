"""`manage.py up` as a real process: how it starts, heals and stops."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import urllib.request

import pytest

from tests.machines import Machine, parent_of, wait_until
from tests.runtime.conftest import started

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.slow,
]


def test_it_prints_a_login_on_the_first_start_and_keeps_it(empty_place):
    first = started(empty_place)
    assert first.get("/healthz") == (200, {"status": "ok"})
    assert f"runs at {first.address}" in first.output
    assert "Sign in as admin@example.com with the password" in first.output
    wait_until(first.is_ready)
    assert first.stop(signal.SIGINT) == 0
    assert empty_place.processes() == {}

    second = started(empty_place)
    assert "with the password" not in second.output
    assert "changepassword admin@example.com" in second.output
    assert second.stop(signal.SIGTERM) == 0
    assert empty_place.processes() == {}


ON_A_TERMINAL = """
import pty, sys
sys.exit(pty.spawn([sys.executable, "manage.py", *sys.argv[1:]]))
"""


@pytest.mark.any_database
def test_on_a_terminal_the_login_stays_in_sight(empty_place, tmp_path):
    program = tmp_path / "on_a_terminal.py"
    program.write_text(ON_A_TERMINAL)
    machine = Machine(empty_place, "up", "--sandbox-jira", program=str(program))
    machine.wait_for("Ctrl-C stops it")
    first, *told = filter(None, map(str.strip, machine.output.splitlines()))
    assert first == "Loading sample content …"
    assert told[0] == f"Findings Automation runs at {machine.address}"
    assert told[-1] == "Ctrl-C stops it."
    assert len(told) == 5


@pytest.mark.any_database
def test_it_runs_a_sandbox_jira_beside_it(start, place):
    machine = start("--sandbox-jira")
    address = re.search(r"not a real Jira, runs at (http://127\.0\.0\.1:\d+)", machine.output)
    assert address, machine.output
    with urllib.request.urlopen(f"{address[1]}/rest/api/2/serverInfo", timeout=10) as answer:
        assert answer.status == 200
    (sandbox,) = machine.children("sandbox_jira")
    os.kill(sandbox, signal.SIGKILL)
    wait_until(machine.is_ready)  # the product goes on without it
    assert machine.stop() == 0
    assert place.processes() == {}


@pytest.mark.any_database
def test_it_runs_no_sandbox_jira_where_others_come(start):
    elsewhere = {
        "BASE_URL": "https://findings.example.com",
        "ALLOWED_HOSTS": "findings.example.com",
    }
    machine = start("--sandbox-jira", **elsewhere)
    assert "No Sandbox Jira: BASE_URL is not on this computer." in machine.output
    assert machine.children("sandbox_jira") == []


@pytest.mark.any_database
def test_it_leaves_nobody_behind_when_killed(start, place):
    machine = start()
    wait_until(machine.is_ready)
    os.kill(machine.pid, signal.SIGKILL)
    machine.exit_code()
    wait_until(lambda: not place.processes(), seconds=15)


@pytest.mark.any_database
def test_it_runs_the_web_server_alone_and_ends_with_it(start, place):
    machine = start("--workers", "0")
    assert machine.children("qcluster") == []
    status, report = machine.get("/readyz")
    assert status == 503
    assert report["parts"]["queue"] == {"ok": False, "age_seconds": None}
    (web,) = machine.children("serve")
    os.kill(web, signal.SIGKILL)
    assert machine.exit_code() == 1
    assert place.processes() == {}


@pytest.mark.any_database
def test_it_starts_a_killed_queue_again(start, place):
    machine = start()
    wait_until(machine.is_ready)
    (leader,) = machine.children("qcluster")
    os.kill(leader, signal.SIGKILL)
    machine.wait_for("The queue was started again")
    assert machine.children("qcluster") != [leader]
    wait_until(machine.is_ready)
    assert machine.stop(signal.SIGHUP) == 0
    assert place.processes() == {}


IMPATIENT = """
import sys
from datetime import timedelta
import django
django.setup()
from config.runtime import heartbeats
heartbeats.STUCK_AFTER = timedelta(seconds=12)
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""


def test_it_heals_a_queue_whose_workers_were_killed(place, tmp_path):
    program = tmp_path / "impatient.py"
    program.write_text(IMPATIENT)
    machine = Machine(
        place, "up", "--no-sample", "--workers", "2", program=str(program), PYTHONPATH="."
    )
    machine.wait_for("Ctrl-C stops it")
    wait_until(lambda: machine.heartbeat_age() is not None)
    (leader,) = machine.children("qcluster")
    (sentinel,) = [pid for pid in place.processes() if parent_of(pid) == leader]
    workers = sorted(pid for pid in place.processes() if parent_of(pid) == sentinel)[:2]
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: machine.heartbeat_age() > 8)
    machine.wait_for("The queue is stuck")
    wait_until(lambda: (age := machine.heartbeat_age()) is not None and age < 5)
    assert machine.stop() == 0
    assert place.processes() == {}


@pytest.mark.any_database
def test_it_names_a_port_in_use(place):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = place.run("up", "--port", str(port))
    assert answer.returncode == 1
    assert f"Cannot listen on 127.0.0.1 port {port}: Address already in use." in answer.stderr
    assert "Traceback" not in answer.stderr
