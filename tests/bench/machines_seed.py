"""`python -m tests.bench.machines_seed COUNT`: findings that are there already, a hundred rules, a
key to send with and somebody signed in, in the migrated database of DATABASE_URL. Prints JSON."""

from __future__ import annotations

import json
import sys

from tests.bench import bench_intake as intake
from tests.bench.fill import fill

# isort: split
from django.conf import settings
from django.test import Client

from config.accounts.api_keys import create_api_key
from config.accounts.roles import Permission, Role
from tests.factories import UserFactory
from ticketing.models import Project

BACKEND = "django.contrib.auth.backends.ModelBackend"


def main() -> None:
    settings.ALLOWED_HOSTS = ["*"]
    fill(int(sys.argv[1]), rules=0, decisions=False)
    intake._make_rules(Project.objects.get(key="SEC"))
    scopes = [Permission.FINDINGS_INTAKE]
    keys = [create_api_key(f"sender {n}", scopes=scopes, actor=None)[1] for n in range(8)]
    client = Client()
    client.force_login(UserFactory(role=Role.ADMIN), backend=BACKEND)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    sys.stdout.write(json.dumps({"keys": keys, "session": session}))


if __name__ == "__main__":
    main()
