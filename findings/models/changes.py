"""What of findings has changed, for those who keep a copy of them; see `columnar.log`."""

from __future__ import annotations

from django.db import models


class FindingChange(models.Model):
    """Findings that one statement has written. Triggers write these rows, in its transaction."""

    xid = models.BigIntegerField(db_index=True)
    """PostgreSQL's number of the transaction; on SQLite 0: there the order of ids is that of
    commits."""
    pks = models.TextField()
    """ "{1,2,3}"; "" for any of them."""
    at = models.DateTimeField()
    """Roughly; only for how long the row is kept."""

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.pks[:50]


class ChangeLog(models.Model):
    """One row: which log it is, and from where on it is complete."""

    generation = models.CharField(max_length=32)
    """Another one whenever something may have changed without being logged."""
    floor = models.BigIntegerField(default=0)
    """Changes up to this `xid` (on SQLite: id) may be forgotten."""

    def __str__(self) -> str:
        return f"{self.generation} from {self.floor}"
