"""Issues that were created long ago: what the queue must not pay for."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from tests.factories import DestinationFactory, ExternalIssueFactory
from ticketing.models import ExternalIssue
from ticketing.outbox.waiting import is_workable
from ticketing.states import State

NUMBERS = {
    "postgresql": "generate_series(1, %s) AS i",
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT %s)"
    " SELECT i FROM n) AS n",
}
IDS = {"postgresql": "gen_random_uuid()", "sqlite": "lower(hex(randomblob(16)))"}


def past_issues(number: int) -> ExternalIssue:
    """So many issues of one account that need nothing any more, every tenth unsure once.

    Returns the one that they are copies of. Detached, as a case has one issue only.
    """
    now = timezone.now()
    model = ExternalIssueFactory(
        account=DestinationFactory().account,
        state=State.CREATED,
        issue_id="1",
        issue_key="SEC-1",
        detached_at=now,
        delivered_at=now,
        attempt="11111111-1111-1111-1111-111111111111",
        lookups=2,
    )
    changed = {
        "id": IDS[connection.vendor],
        "issue_id": "CAST(i + 1 AS text)",
        "issue_key": "'SEC-' || CAST(i + 1 AS text)",
        "was_unsure": "i % 10 = 0",
    }
    columns = [field.column for field in ExternalIssue._meta.concrete_fields if not field.generated]
    values = [changed.get(column, f"t.{column}") for column in columns]
    table = ExternalIssue._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"
            f" FROM {table} t, {NUMBERS[connection.vendor]}".replace("% 10", "%% 10"),
            [number],
        )
        cursor.execute(f"ANALYZE {table}")
    assert not is_workable(model.account_id)
    return model
