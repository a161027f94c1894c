from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success, Task

from config.lib.admin import BrowseAdmin
from config.runtime.models import Heartbeat, Retention, TaskFailure

for _model in (Success, Failure, Schedule, OrmQ):
    # django-q's own pages can run, change and delete: a wake-up is never repeated by hand.
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(Heartbeat)
class HeartbeatAdmin(BrowseAdmin):
    list_display = ("cluster", "at")
    search_fields = ("cluster",)


@admin.register(TaskFailure)
class TaskFailureAdmin(BrowseAdmin):
    """Tasks that fail now; what they raised is with the tasks themselves."""

    list_display = ("path", "failures", "since", "latest_at")
    search_fields = ("path",)


@admin.register(Retention)
class RetentionAdmin(BrowseAdmin):
    """How far the nightly deletion of old rows has come."""

    list_display = ("kind", "night", "is_done", "held", "deleted", "rows", "finished_at")


@admin.register(Success, Failure)
class TaskAdmin(BrowseAdmin):
    """What the queue did; the embedded default keeps failures only.

    Arguments and results are pickles: whoever can write to the table could have them run code
    in the web server. They are never loaded; what went wrong is in the log.
    """

    list_display = ("func", "started", "stopped", "attempt_count")
    list_filter = ("func",)
    search_fields = ("func", "name")
    date_hierarchy = "started"
    fields = ("name", "func", "started", "stopped", "attempt_count")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        tasks: QuerySet[Task] = super().get_queryset(request)
        return tasks.defer("args", "kwargs", "result")


@admin.register(Schedule)
class ScheduleAdmin(BrowseAdmin):
    list_display = ("name", "func", "schedule_type", "next_run")
    list_filter = ("schedule_type",)
    search_fields = ("name", "func")


@admin.register(OrmQ)
class WaitingAdmin(BrowseAdmin):
    """Wake-ups that no worker has taken yet. What they ask for is a signed pickle: see above."""

    list_display = ("key", "lock")
    fields = ("key", "lock")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrmQ]:
        waiting: QuerySet[OrmQ] = super().get_queryset(request)
        return waiting.defer("payload")
