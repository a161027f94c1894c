"""What a process of `manage.py serve` holds in memory."""

from __future__ import annotations

import time
import urllib.request
from pathlib import Path

from tests.machines import Machine, Place, wait_until

SETTLING = 10  # seconds, for what a process does after its first answer
ADDRESSES = ("/findings?facets=now", "/explorer/facets", "/findings?group=package", "/overview")


def web_memory(directory: Path, database_url: str, session: str) -> dict[str, float]:
    """MB resident, after the start and after the first pages of somebody signed in."""
    place = Place(directory, database_url)
    place.run("collectstatic", "--noinput")  # the files that pages need
    try:
        machine = Machine(place, "serve")
        wait_until(lambda: machine.get("/healthz")[0] == 200, seconds=120)
        started = _resident(machine.pid)
        for address in ADDRESSES:
            _visit(machine, address, session)
        time.sleep(SETTLING)
        return {
            "web process after its start": started,
            "web process after its first pages": _resident(machine.pid),
            "web process, the most": _resident(machine.pid, "VmHWM"),
        }
    finally:
        place.kill_all()


def _visit(machine: Machine, address: str, session: str) -> None:
    headers = {"Cookie": f"sessionid={session}", "User-Agent": "bench"}
    request = urllib.request.Request(machine.address + address, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        content = answer.read()
    assert b"password" not in content.lower()[:5_000] or answer.url.endswith(address), answer.url


def _resident(pid: int, name: str = "VmRSS") -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1_000
