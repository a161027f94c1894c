"""What a place in Jira asks of each ticket, beside what every ticket has."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from ticketing.catalogue.cache import CatalogueError, fetch
from ticketing.fields.spec import FieldSpec
from ticketing.models import Destination

log = structlog.stdlib.get_logger(__name__)


def required_fields(place: Destination) -> Sequence[FieldSpec]:
    """As the catalogue knows them; one call at most.

    None where Jira does not answer: the ticket is promised all the same, and says what Jira
    missed once it was refused.
    """
    space, type_ = place.space_id, place.type_id
    try:
        fields = fetch(
            place.account,
            ("fields", space, type_, ""),
            lambda catalogue: catalogue.fields_to_fill(space, type_),
        )
    except CatalogueError as error:
        log.warning("The fields that Jira requires could not be read", reason=error.reason)
        return ()
    return tuple(field for field in fields if field.is_required and field.is_offered)
