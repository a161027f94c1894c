"""What the queue stores as pickles is shown without being loaded."""

from __future__ import annotations

import base64
import pickle

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ, Task

pytestmark = pytest.mark.django_db
ran: list[str] = []


def spring(text: str) -> None:
    ran.append(text)


class Trap:
    """Runs code wherever it is unpickled."""

    def __reduce__(self):
        return (spring, ("ran",))


@pytest.mark.parametrize("kind", ["success", "failure"])
@pytest.mark.parametrize("column", ["args", "kwargs", "result"])
def test_it_never_loads_what_a_task_was_given_or_gave(as_user, admin, kind, column):
    now = timezone.now()
    task = Task.objects.create(
        id="a" * 32, name="x", func="f", started=now, stopped=now, success=kind == "success"
    )
    trap = base64.b64encode(pickle.dumps(Trap())).decode()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE django_q_task SET {column} = %s", [trap])
    client = as_user(admin)
    for address in ("", "?q=f", f"{task.pk}/change/"):
        assert client.get(f"/admin/django_q/{kind}/{address}").status_code == 200
    assert ran == []
    getattr(Task.objects.get(), column)
    assert ran.pop() == "ran"  # the trap works: the model itself does load it


def test_it_never_loads_what_waits(as_user, admin, monkeypatch):
    monkeypatch.setattr("django_q.signing.SignedPackage.loads", lambda _: ran.append("ran"))
    waiting = OrmQ.objects.create(key="default", payload="x")
    for address in ("", f"{waiting.pk}/change/"):
        assert as_user(admin).get(f"/admin/django_q/ormq/{address}").status_code == 200
    assert ran == []
