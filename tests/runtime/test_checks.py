from __future__ import annotations

import sqlite3

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from config import checks

POSTGRES = {"default": {"ENGINE": "django.db.backends.postgresql"}}
SQLITE = {"default": {"ENGINE": "django.db.backends.sqlite3"}}


def ids(check, **settings) -> list[str]:
    with override_settings(**settings):
        found = check()
    assert all(message.hint for message in found)
    return [message.id for message in found]


def test_it_finds_nothing_wrong_with_the_default_settings(monkeypatch, settings, tmp_path):
    settings.DATA_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "media"
    # The suite on PostgreSQL sets DATABASE_URL, for which the default key would be a warning.
    for key in ("SECRET_KEY", "ENCRYPTION_KEYS"):
        monkeypatch.setenv(key, "Jv6-2nq0XW9kq1r7bLx4TzYc8dPfGh3sUaMe5")
    found = run_checks()
    assert [m for m in found if (m.id or "").startswith("fa.")] == []


@pytest.mark.parametrize("key", ["short", "a" * 60, "changeme" * 3])
def test_it_refuses_a_secret_key_that_can_be_guessed(monkeypatch, key):
    monkeypatch.setenv("SECRET_KEY", key)
    assert ids(checks.check_secret_key) == ["fa.E001"]


def test_it_warns_of_machines_with_different_secret_keys(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "")
    monkeypatch.setattr(checks.settings, "DATABASES", POSTGRES)
    assert ids(checks.check_secret_key) == ["fa.W002"]
    monkeypatch.setenv("SECRET_KEY", "Jv6-2nq0XW9kq1r7bLx4TzYc8dPfGh3sUaMe5")
    assert ids(checks.check_secret_key) == []


@pytest.mark.parametrize("keys", [["short"], ["Jv6-2nq0XW9kq1r7bLx4TzYc8dPfGh3sUaMe5", "a" * 60]])
def test_it_refuses_an_encryption_key_that_can_be_guessed(keys):
    assert ids(checks.check_encryption_keys, ENCRYPTION_KEYS=keys) == ["fa.E013"]


def test_it_warns_of_machines_with_different_encryption_keys(monkeypatch):
    monkeypatch.setenv("ENCRYPTION_KEYS", "")
    monkeypatch.setattr(checks.settings, "DATABASES", POSTGRES)
    assert ids(checks.check_encryption_keys) == ["fa.W014"]
    monkeypatch.setenv("ENCRYPTION_KEYS", "Jv6-2nq0XW9kq1r7bLx4TzYc8dPfGh3sUaMe5")
    assert ids(checks.check_encryption_keys) == []


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (["localhost", "127.0.0.1", "[::1]"], []),
        (["findings.example.com"], ["fa.E003"]),
        (["localhost", "*"], ["fa.E003"]),
        (["10.0.0.5"], ["fa.E003"]),
    ],
)
def test_it_refuses_debug_beyond_this_machine(hosts, expected):
    assert ids(checks.check_debug, DEBUG=True, ALLOWED_HOSTS=hosts) == expected


@pytest.mark.parametrize(
    ("base_url", "hosts", "expected"),
    [
        ("https://findings.example.com", ["findings.example.com"], []),
        ("https://findings.example.com", [".example.com"], []),
        ("http://[::1]:8000", ["[::1]"], []),
        ("https://findings.example.com", ["*"], ["fa.W004"]),
        ("findings.example.com", ["*"], ["fa.W004", "fa.E005"]),
        ("https://findings.example.com?a=b", ["findings.example.com"], ["fa.E005"]),
        ("https://findings.example.com", ["localhost"], ["fa.E006"]),
    ],
)
def test_it_checks_the_address_and_the_hosts(base_url, hosts, expected):
    assert ids(checks.check_hosts, BASE_URL=base_url, ALLOWED_HOSTS=hosts) == expected


@pytest.mark.parametrize(
    ("proxies", "scheme", "expected"),
    [(0, "http", []), (1, "https", []), (0, "https", ["fa.W019"]), (-1, "http", ["fa.E018"])],
)
def test_it_wants_to_know_the_proxy_behind_an_address_with_tls(proxies, scheme, expected):
    settings = {"PROXY_COUNT": proxies, "BASE_URL": f"{scheme}://findings.example.com"}
    assert ids(checks.check_proxy_count, **settings) == expected


def test_it_refuses_other_databases_and_an_old_sqlite(monkeypatch):
    other = {"default": {"ENGINE": "django.db.backends.mysql"}}
    monkeypatch.setattr(checks.settings, "DATABASES", other)
    assert ids(checks.check_database) == ["fa.E007"]
    monkeypatch.setattr(checks.settings, "DATABASES", SQLITE)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))
    assert ids(checks.check_database) == ["fa.E008"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", []),
        ("redis://cache:6379/0", []),
        ("unix:///run/redis.sock", []),
        ("cache:6379", ["fa.E009"]),
        ("redis://", ["fa.E009"]),
    ],
)
def test_it_checks_the_address_of_redis(url, expected):
    assert ids(checks.check_redis_url, REDIS_URL=url) == expected


def test_it_refuses_a_data_directory_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    assert ids(checks.check_data_dir, DATA_DIR=tmp_path / "file") == ["fa.E010"]
    assert ids(checks.check_data_dir, DATA_DIR=tmp_path / "not" / "yet") == []


@pytest.mark.parametrize(
    ("queue", "expected"),
    [
        ({"workers": 2, "poll": 0.05}, []),
        ({"workers": 2}, []),
        ({"workers": -1}, ["fa.E011"]),
        ({"workers": 2, "poll": 0}, ["fa.E012"]),
    ],
)
def test_it_checks_the_queue(queue, expected):
    assert ids(checks.check_workers, Q_CLUSTER=queue) == expected


@pytest.mark.parametrize(("percent", "expected"), [(0, []), (100, []), (101, ["fa.E016"])])
def test_it_refuses_what_is_no_percentage(percent, expected):
    assert ids(checks.check_imports, IMPORT_HOLD_PERCENT=percent) == expected


@pytest.mark.parametrize(
    ("backend", "options", "expected"),
    [
        ("django.core.files.storage.FileSystemStorage", {"location": "/tmp"}, []),
        ("django.core.files.storage.FileSystemStorage", {"bucket": "x"}, ["fa.E017"]),
        ("nowhere.S3Storage", {}, ["fa.E017"]),
    ],
)
def test_it_refuses_a_storage_that_cannot_be_used(backend, options, expected):
    storages = {"default": {"BACKEND": backend, "OPTIONS": options}}
    assert ids(checks.check_storage, STORAGES=storages) == expected


def test_it_refuses_certificates_that_cannot_be_read(tmp_path):
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    assert ids(checks.check_ca_bundle, JIRA_CA_BUNDLE="") == []
    for path in (wrong, tmp_path / "missing.pem"):
        assert ids(checks.check_ca_bundle, JIRA_CA_BUNDLE=str(path)) == ["fa.E015"]
