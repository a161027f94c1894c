"""Findings of one package, as pages of groups are tested with them."""

from __future__ import annotations

from typing import Any

from automation.pipeline import evaluate_all
from findings.services import record
from tests.factories import SourceFactory, reported
from ticketing.groups import refresh_due

GRPC = {"name": "grpcio", "ecosystem": "pip", "version": "1.50.0", "fixed_version": "1.53.2"}


def found(number: int = 1, *, prefix: str = "r", **fields: Any) -> None:
    """Findings are reported and decided, and their tickets say so."""
    said = {"finding_type": "secret", "attributes": {"package": GRPC}} | fields
    record(reported(number, prefix=prefix, **said), source=SourceFactory())
    evaluate_all()
    refresh_due()
