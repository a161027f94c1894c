from __future__ import annotations

import pytest
from django.db import transaction
from django_q.models import OrmQ

from config.lib.tasks import enqueue


@pytest.mark.django_db(transaction=True)
def test_it_rings_when_the_transaction_has_committed():
    with transaction.atomic():
        enqueue("config.runtime.tasks.heartbeat", 7)
        assert not OrmQ.objects.exists()
    row = OrmQ.objects.get()
    assert (row.task["func"], row.task["args"]) == ("config.runtime.tasks.heartbeat", (7,))


@pytest.mark.django_db(transaction=True)
def test_it_rings_nothing_when_the_transaction_is_rolled_back():
    with transaction.atomic():
        enqueue("config.runtime.tasks.heartbeat")
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()
