"""What is wrong with the settings, found at start-up: an id, a sentence, and what to do."""

from __future__ import annotations

import os
import sqlite3
import ssl
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.files.storage.handler import InvalidStorageError, StorageHandler
from django.http.request import validate_host

from config.lib.links import is_this_computer
from config.lib.private_files import is_open_to_others
from config.lib.retention import problems

LEAST_SQLITE = (3, 38)
LEAST_SECRET_KEY = 32
SQLITE = "django.db.backends.sqlite3"


def _can_be_guessed(key: str) -> bool:
    return len(key) < LEAST_SECRET_KEY or len(set(key)) < 8


@register(Tags.security)
def check_secret_key(**_: object) -> list[CheckMessage]:
    key = os.environ.get("SECRET_KEY", "")
    if key and _can_be_guessed(key):
        return [
            Error(
                "SECRET_KEY can be guessed.",
                hint=f"Use at least {LEAST_SECRET_KEY} random characters, or leave it unset: then "
                "one is made and kept in DATA_DIR.",
                id="fa.E001",
            )
        ]
    if not key and settings.DATABASES["default"]["ENGINE"] != SQLITE:
        return [
            Warning(
                "SECRET_KEY is not set, so this machine uses its own.",
                hint="With several machines on one database, give all of them the same: else "
                "sign-ins and queued work of one machine are refused by the others.",
                id="fa.W002",
            )
        ]
    return []


@register(Tags.security)
def check_encryption_keys(**_: object) -> list[CheckMessage]:
    if any(_can_be_guessed(key) for key in settings.ENCRYPTION_KEYS):
        return [
            Error(
                "ENCRYPTION_KEYS has a key that can be guessed.",
                hint=f"Use at least {LEAST_SECRET_KEY} random characters for each key, or leave it "
                "unset: then one is made and kept in DATA_DIR.",
                id="fa.E013",
            )
        ]
    is_given = os.environ.get("ENCRYPTION_KEYS", "")
    if not is_given and settings.DATABASES["default"]["ENGINE"] != SQLITE:
        return [
            Warning(
                "ENCRYPTION_KEYS is not set, so this machine uses its own.",
                hint="With several machines on one database, give all of them the same: else "
                "Jira tokens stored by one machine cannot be read by the others.",
                id="fa.W014",
            )
        ]
    return []


@register(Tags.security)
def check_debug(**_: object) -> list[CheckMessage]:
    if settings.DEBUG and not all(is_this_computer(host) for host in settings.ALLOWED_HOSTS):
        return [
            Error(
                "DEBUG is on for hosts other than this machine: error pages would show secrets.",
                hint="Unset DEBUG, or keep ALLOWED_HOSTS to localhost.",
                id="fa.E003",
            )
        ]
    return []


@register(Tags.security)
def check_hosts(**_: object) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            Warning(
                "ALLOWED_HOSTS allows every host name.",
                hint="Name the hosts that people use, separated by commas.",
                id="fa.W004",
            )
        )
    url = urlsplit(settings.BASE_URL)
    if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
        found.append(
            Error(
                f"BASE_URL is not an address people can open: {settings.BASE_URL!r}.",
                hint="Use a form such as https://findings.example.com.",
                id="fa.E005",
            )
        )
    elif not validate_host(_host_in_url(url.hostname), settings.ALLOWED_HOSTS):
        found.append(
            Error(
                f"ALLOWED_HOSTS does not allow {url.hostname!r}, the host of BASE_URL.",
                hint="Add it to ALLOWED_HOSTS: the links in tickets lead there.",
                id="fa.E006",
            )
        )
    return found


def _host_in_url(hostname: str) -> str:
    return f"[{hostname}]" if ":" in hostname else hostname


@register(Tags.security)
def check_proxy_count(**_: object) -> list[CheckMessage]:
    if settings.PROXY_COUNT < 0:
        return [
            Error(
                "PROXY_COUNT is negative.",
                hint="Count the proxies between people and this server; 0 without any.",
                id="fa.E018",
            )
        ]
    if settings.PROXY_COUNT == 0 and urlsplit(settings.BASE_URL).scheme == "https":
        return [
            Warning(
                "PROXY_COUNT is 0, but BASE_URL is https, which a proxy answers.",
                hint="Set it to the number of proxies in front. Until then everybody has the "
                "proxy's address: limits and logs cannot tell one client from another.",
                id="fa.W019",
            )
        ]
    return []


@register(Tags.database)
def check_database(**_: object) -> list[CheckMessage]:
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine not in (SQLITE, "django.db.backends.postgresql"):
        return [
            Error(
                f"DATABASE_URL names a database that is not supported: {engine}.",
                hint="Use postgres://user:password@host:5432/name, or leave it unset for SQLite.",
                id="fa.E007",
            )
        ]
    if engine.endswith("sqlite3") and sqlite3.sqlite_version_info < LEAST_SQLITE:
        return [
            Error(
                f"SQLite {sqlite3.sqlite_version} is too old.",
                hint="Use a Python built with SQLite 3.38 or later, or PostgreSQL (DATABASE_URL).",
                id="fa.E008",
            )
        ]
    return []


@register()
def check_redis_url(**_: object) -> list[CheckMessage]:
    if settings.REDIS_URL:
        url = urlsplit(settings.REDIS_URL)
        if url.scheme not in ("redis", "rediss", "unix") or not (url.hostname or url.path):
            return [
                Error(
                    "REDIS_URL is not the address of a Redis server.",
                    hint="Use redis://host:6379/0 (rediss:// for TLS, unix:///path for a socket).",
                    id="fa.E009",
                )
            ]
    return []


@register(Tags.files)
def check_data_dir(**_: object) -> list[CheckMessage]:
    path = settings.DATA_DIR
    nearest = next(p for p in (path, *path.resolve().parents) if p.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"DATA_DIR cannot be written: {path}.",
            hint="Make it a directory of the user that runs this, or set DATA_DIR to another.",
            id="fa.E010",
        )
    ]


@register(Tags.files, Tags.security)
def check_data_is_private(**_: object) -> list[CheckMessage]:
    """`up` and `work` close what is theirs; this names what is another user's, or never started."""
    database = settings.DATABASES["default"]
    paths = [settings.DATA_DIR, settings.MEDIA_ROOT]
    if database["ENGINE"] == SQLITE and not str(database["NAME"]).startswith(("file:", ":")):
        paths.append(Path(database["NAME"]))
    outside = [path for path in paths[1:] if settings.DATA_DIR not in path.parents]
    return [
        Warning(
            f"Others on this machine may be able to read {path}: its mode is "
            f"{stat.S_IMODE(path.stat().st_mode):04o}.",
            hint=f"Run chmod go= {path}. It holds findings, secrets and sessions. "
            "`manage.py up` and `work` do it for DATA_DIR if it is their user's.",
            id="fa.W030",
        )
        for path in (paths[0], *outside)
        if is_open_to_others(path)
    ]


@register()
def check_workers(app_configs: Sequence[Any] | None = None, **_: object) -> list[CheckMessage]:
    queue = settings.Q_CLUSTER
    if queue["workers"] < 0:
        return [
            Error("WORKERS is negative.", hint="Use the number of cores.", id="fa.E011"),
        ]
    if queue.get("poll", 1) <= 0:
        return [
            Error(
                "QUEUE_POLL_SECONDS must be more than 0.",
                hint="0.05 reacts at once; 1 saves work on an idle machine.",
                id="fa.E012",
            )
        ]
    return []


@register()
def check_imports(**_: object) -> list[CheckMessage]:
    if 0 <= settings.IMPORT_HOLD_PERCENT <= 100:
        return []
    return [
        Error(
            "IMPORT_HOLD_PERCENT is not a percentage.",
            hint="50 asks a person when more than half of a scope's findings are missing.",
            id="fa.E016",
        )
    ]


@register()
def check_storage(**_: object) -> list[CheckMessage]:
    backends: Any = settings.STORAGES  # the stubs want storages that are made already
    try:
        StorageHandler(backends)["default"]
    except (InvalidStorageError, TypeError) as error:
        return [
            Error(
                f"The storage of uploaded reports cannot be used: {error}",
                hint="STORAGE_BACKEND is the path of a class that is installed, STORAGE_OPTIONS "
                "the JSON object of its arguments. Leave both unset for files in MEDIA_ROOT.",
                id="fa.E017",
            )
        ]
    return []


@register()
def check_ca_bundle(**_: object) -> list[CheckMessage]:
    if not settings.JIRA_CA_BUNDLE:
        return []
    try:
        ssl.create_default_context(cafile=settings.JIRA_CA_BUNDLE)
    except OSError:  # an SSLError is one
        return [
            Error(
                "JIRA_CA_BUNDLE is not a file of certificates.",
                hint="Give the path of a PEM file that this user may read.",
                id="fa.E015",
            )
        ]
    return []


@register()
def check_retention(**_: object) -> list[CheckMessage]:
    found = [Error(sentence, hint=hint, id="fa.E020") for sentence, hint in problems()]
    for name in ("AUDIT_RETENTION_DAYS", "ARCHIVE_AFTER_DAYS"):
        if getattr(settings, name) < 0:
            hint = "Set a number of days, or 0."
            found.append(Error(f"{name} is negative.", hint=hint, id="fa.E020"))
    return list(found)
