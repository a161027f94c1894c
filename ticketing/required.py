"""What a place in Jira asks of each ticket, beside what every ticket has."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from django.core.cache import cache

from ticketing.models import Destination
from ticketing.pacing import pace_for
from ticketing.trackers.base import TrackerError
from ticketing.trackers.jira.catalogue import Catalogue
from ticketing.trackers.jira.fields import FieldSpec
from ticketing.trackers.registry import client_for

log = structlog.stdlib.get_logger(__name__)
SECONDS = 60
SECONDS_OF_A_FAILURE = 5


def required_fields(place: Destination) -> Sequence[FieldSpec]:
    """Asked of Jira and remembered for a minute; one call.

    None where Jira does not answer: the ticket is promised all the same, and says what Jira
    missed once it was refused.
    """
    key = f"required:{place.account_id}:{place.space_id}:{place.type_id}"
    known: Sequence[FieldSpec] | None = cache.get(key)
    if known is not None:
        return known
    try:
        with client_for(place.account, pace=pace_for(place.account)) as client:
            fields = Catalogue(client).create_fields(place.space_id, place.type_id)
    except TrackerError as error:
        log.warning("The fields that Jira requires could not be read", reason=error.reason)
        cache.set(key, (), SECONDS_OF_A_FAILURE)  # nobody waits for a silent Jira twice
        return ()
    required = tuple(field for field in fields if field.is_required and field.is_offered)
    cache.set(key, required, SECONDS)
    return required
