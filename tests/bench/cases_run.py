"""`python -m tests.bench.cases_run [--times 5] [--only WORDS]`: whole requests of the list and the
board of cases to the database of DATABASE_URL that `fill_cases` filled, one after another. What
they took, as JSON."""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()
logging.disable()

from django.conf import settings  # noqa: E402 - after setup
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from config.accounts.models import User  # noqa: E402
from tests.bench.fill_cases import ME  # noqa: E402
from tests.bench.pages_run import LATER  # noqa: E402
from ticketing.case_lists import SORTS, VIEWS  # noqa: E402

LAST = 999_999_999
SEARCHES: Mapping[str, str] = {
    "a rare word": "q=CVE-2021-1{n}03",
    "a common word": "q=injection",
    "a word nobody wrote": "q=qqxz{n}",
    "status:": "q=status%3Ain_progress",
    "assignee:me": "q=assignee%3Ame",
    "project:": "q=project%3Aops",
    "one project": "project=DATA",
    "one status": "status=IN_PROGRESS",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cases_run", description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--only", default="", metavar="WORDS", help="requests named so")
    given = parser.parse_args()
    connection.settings_dict["CONN_MAX_AGE"] = None  # one backend, as in a web process
    settings.ALLOWED_HOSTS = ["*"]
    client = Client()
    client.force_login(
        User.objects.get(email=ME), backend="django.contrib.auth.backends.ModelBackend"
    )
    client.cookies[LATER] = "later"
    client.get("/cases")
    done = {}
    for what, address in kinds():
        if given.only not in what:
            continue
        taken = [_milliseconds(client, address.format(n=nth)) for nth in range(given.times)]
        done[what] = _summary(taken)
        sys.stderr.write(f"{what:<60}{done[what]['median']:8.0f} ms\n")
    sys.stdout.write(json.dumps(done))


def kinds() -> Iterator[tuple[str, str]]:
    """(what is asked for, its address): every sort of every view and search."""
    for sort, view in product(SORTS, VIEWS):
        pages = {"first page": 1, "page 100": 100, "last page": LAST}
        for page, number in pages.items():
            if number != 100 or not view:
                address = f"/cases?sort={sort}&view={view}&page={number}"
                yield f"list by {sort}, {view or 'all'}, {page}", address
        board = f"/cases?layout=board&sort={sort}&view={view}"
        yield f"board by {sort}, {view or 'all'}", board
    for sort, (name, search) in product(SORTS, SEARCHES.items()):
        yield f"list by {sort}, {name}", f"/cases?sort={sort}&{search}"
    for name, search in SEARCHES.items():
        yield f"list by updated, {name}, last page", f"/cases?{search}&page={LAST}"
        yield f"board by updated, {name}", f"/cases?layout=board&{search}"


def _milliseconds(client: Client, address: str) -> float:
    began = time.perf_counter()
    answer = client.get(address)
    assert answer.status_code == 200, address
    return 1_000 * (time.perf_counter() - began)


def _summary(taken: Sequence[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        "median": statistics.median(ordered),
        "p95": ordered[math.ceil(0.95 * len(ordered)) - 1],
        "best": ordered[0],
    }


if __name__ == "__main__":
    main()
