"""Keys of machines."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from config.accounts.api_keys import create_api_key, live_keys, note_use, revoke_api_key
from config.accounts.models import ApiKey
from config.accounts.roles import Permission

pytestmark = pytest.mark.django_db
SCOPES = [Permission.FINDINGS_READ, Permission.FINDINGS_INTAKE]


def make(**options):
    return create_api_key("ci-grype", **{"scopes": SCOPES, "actor": None} | options)


def test_it_makes_a_key_of_256_random_bits():
    raws = {make()[1] for _ in range(20)}
    assert len(raws) == 20
    assert all(raw.startswith("fa_") and len(raw) == 46 for raw in raws)


def test_it_stores_the_digest_and_the_prefix_and_nothing_else_of_the_key(admin):
    key, raw = make(actor=admin)
    stored = ApiKey.objects.filter(pk=key.pk).values().get()
    assert stored["digest"] == hashlib.sha256(raw.encode()).hexdigest()
    assert stored["prefix"] == raw[:11]
    assert raw not in str(stored)
    assert stored["created_by_id"] == admin.pk


def test_it_finds_live_keys_in_one_statement(django_assert_num_queries):
    (one, raw_one), (two, raw_two) = make(), make()
    with django_assert_num_queries(1):
        assert live_keys([raw_one, raw_two]) == {raw_one: one, raw_two: two}


def test_it_does_not_find_a_key_by_its_digest_or_prefix():
    key, _ = make()
    assert live_keys([key.digest, key.prefix]) == {}


def test_it_revokes_once(admin, frozen):
    key, raw = make()
    assert revoke_api_key(key.pk, actor=None) is True
    first = ApiKey.objects.get(pk=key.pk).revoked_at
    frozen.shift(60)
    assert revoke_api_key(key.pk, actor=None) is False
    assert ApiKey.objects.get(pk=key.pk).revoked_at == first
    assert live_keys([raw]) == {}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"expires_at": timezone.now() - timedelta(days=1)}, "expires_at"),
    ],
)
def test_it_refuses_a_key_that_could_do_nothing(options, field):
    with pytest.raises(ValidationError) as caught:
        make(**options)
    assert list(caught.value.message_dict) == [field]
    assert not ApiKey.objects.exists()


def test_it_refuses_a_key_without_a_name():
    with pytest.raises(ValidationError, match="Name the key"):
        create_api_key("  ", scopes=SCOPES, actor=None)


def test_it_writes_a_use_once_when_two_machines_see_it_together(frozen):
    key, _ = make()
    seen_by_two = [ApiKey.objects.get(pk=key.pk) for _ in range(2)]
    note_use(seen_by_two[:1])
    frozen.shift(5)
    note_use(seen_by_two[1:])
    assert ApiKey.objects.get(pk=key.pk).last_used_at == timezone.now() - timedelta(seconds=5)


def test_it_keeps_no_digest_in_the_history():
    key, _ = make()
    revoke_api_key(key.pk, actor=None)
    rows = list(key.history.values())
    assert len(rows) == 2
    assert "digest" not in rows[0]
