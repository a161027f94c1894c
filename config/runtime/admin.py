from __future__ import annotations

from django.contrib import admin
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.decorators import display

from config.lib.admin import BrowseAdmin
from config.runtime.models import Beat

for _model in (Success, Failure, Schedule, OrmQ):
    # django-q's own pages can run, change and delete: a ring is never repeated by hand.
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(Beat)
class BeatAdmin(BrowseAdmin):
    list_display = ("cluster", "at")
    search_fields = ("cluster",)


@admin.register(Success, Failure)
class TaskAdmin(BrowseAdmin):
    """What the queue did; the embedded default keeps failures only."""

    list_display = ("func", "started", "stopped", "attempt_count")
    list_filter = ("func",)
    search_fields = ("func", "name")
    date_hierarchy = "started"
    fields = ("name", "func", "started", "stopped", "attempt_count", "result")


@admin.register(Schedule)
class ScheduleAdmin(BrowseAdmin):
    list_display = ("name", "func", "schedule_type", "next_run")
    list_filter = ("schedule_type",)
    search_fields = ("name", "func")


@admin.register(OrmQ)
class WaitingAdmin(BrowseAdmin):
    """Rings that no worker has heard yet."""

    list_display = ("key", "task", "lock")
    fields = ("key", "task", "lock")

    @display(description="Task")
    def task(self, ring: OrmQ) -> str:
        return str(ring.func())
