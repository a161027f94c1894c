from __future__ import annotations

from io import StringIO

import pytest
from cryptography.fernet import InvalidToken
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection

from config.lib import crypto, key_rotation
from tests.factories import JiraAccountFactory
from ticketing.models import JiraAccount

OLD, NEW = "the-old-key-of-32-characters-or-so", "the-new-key-of-32-characters-or-so"


@pytest.fixture
def keys(settings):
    def use(*keys: str) -> None:
        settings.ENCRYPTION_KEYS = list(keys)

    use(OLD)
    return use


def stored() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM ticketing_jiraaccount ORDER BY name")
        return [token for (token,) in cursor.fetchall()]


def rotate_keys() -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_it_stores_no_secret_in_the_clear(keys):
    account = JiraAccountFactory(token="open sesame")
    assert "sesame" not in stored()[0]
    account.refresh_from_db()
    assert account.token == "open sesame"


@pytest.mark.django_db
def test_it_cannot_be_looked_up_by_value(keys):
    JiraAccountFactory(token="open sesame")
    assert not JiraAccount.objects.filter(token="open sesame").exists()
    with pytest.raises(FieldError):
        JiraAccount.objects.filter(token__startswith="open").exists()


@pytest.mark.django_db
def test_it_rotates_to_the_first_key_and_needs_the_old_one_no_more(keys, monkeypatch):
    monkeypatch.setattr(key_rotation, "CHUNK", 2)
    for n in range(5):
        JiraAccountFactory(name=f"a{n}", token=f"secret {n}")
    keys(NEW, OLD)
    assert "ticketing.JiraAccount.token: 5 re-encrypted, 0 were already\n" in rotate_keys()
    keys(NEW)
    accounts = JiraAccount.objects.order_by("name")
    assert [account.token for account in accounts] == [f"secret {n}" for n in range(5)]


@pytest.mark.django_db
def test_it_leaves_what_is_current_and_what_is_empty_as_they_are(keys):
    JiraAccountFactory(name="a")
    JiraAccountFactory(name="b", token="")
    before = stored()
    assert "ticketing.JiraAccount.token: 0 re-encrypted, 1 were already\n" in rotate_keys()
    assert stored() == before


@pytest.mark.django_db
def test_it_names_the_rows_whose_key_is_lost_and_rotates_the_rest(keys):
    lost = JiraAccountFactory(name="lost")
    keys(OLD + "x")
    JiraAccountFactory(name="kept", token="kept")
    keys(NEW, OLD + "x")
    with pytest.raises(CommandError, match=f"JiraAccount.token of {lost.pk}"):
        rotate_keys()
    keys(NEW)
    assert [a.token for a in JiraAccount.objects.order_by("name")] == ["kept", ""]


@pytest.mark.django_db
def test_it_keeps_a_secret_that_changes_while_it_rotates(keys, monkeypatch):
    account = JiraAccountFactory(token="before")

    def rotate_late(token: str) -> str:
        JiraAccount.objects.filter(pk=account.pk).update(token="changed meanwhile")
        return crypto.rotate(token)

    monkeypatch.setattr(key_rotation, "rotate", rotate_late)
    keys(NEW, OLD)
    rotate_keys()
    account.refresh_from_db()
    assert account.token == "changed meanwhile"


def test_it_refuses_text_that_was_altered(keys):
    token = crypto.encrypt("secret")
    with pytest.raises(InvalidToken):
        crypto.decrypt(token[:-4] + "AAA=")
