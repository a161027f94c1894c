"""Counts of findings by UTC day, and the days whose counts must be made again."""

from __future__ import annotations

from django.db import models


class ChangedDay(models.Model):
    """A UTC day whose counts must be made again: something of its findings has changed.

    Triggers write these rows (see `trends.marks`), in the transaction of the change: nobody who
    writes findings has to think of them, and a change without its mark cannot be.
    """

    day = models.DateField(db_index=True)

    class Meta:
        ordering = ("day",)

    def __str__(self) -> str:
        return f"{self.day}"


class CountedDay(models.Model):
    """A UTC day whose counts are stored. Its row is the lock under which they are made."""

    day = models.DateField(primary_key=True)

    class Meta:
        ordering = ("day",)

    def __str__(self) -> str:
        return f"{self.day}"


class DailyCount(models.Model):
    """How many findings, as they are now, did something on a UTC day; see `docs/trends.md`."""

    class Measure(models.TextChoices):
        NEW = "new"  # opened that day
        OPEN = "open"  # of these: open now
        HELD = "held", "open with a ticket"  # of these: open now, with a ticket
        STOOD = "stood"  # of these: on the line of open findings, from then until they were fixed
        FIXED = "fixed"  # resolved that day
        CLOSED = "closed"  # of these: on the line until then
        TOOK = "took", "fixed in so many hours"  # the same by how long it took
        TICKETED = "ticketed"  # put on the ticket that day
        MATCHED = "matched"  # decided that day, and a rule had a ticket for it
        COVERED = "covered"  # of these: it has the ticket

    class By(models.TextChoices):
        SEVERITY = "severity"
        TEAM = "team"  # a finding with two teams counts for each

    day = models.DateField()
    measure = models.CharField(max_length=8, choices=Measure.choices)
    by = models.CharField(max_length=8, choices=By.choices)
    value = models.TextField(blank=True)
    hours = models.PositiveIntegerField(default=0)  # of TOOK: from opened to resolved
    number = models.PositiveIntegerField()

    class Meta:
        ordering = ("day",)
        indexes = (models.Index(fields=("by", "measure", "day"), name="daily_count_of"),)

    def __str__(self) -> str:
        return f"{self.day} {self.measure} {self.value}: {self.number}"
