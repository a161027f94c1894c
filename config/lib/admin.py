"""What every admin page has in common: people look, services change, nobody deletes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin

from config.lib.search_text import SearchTooLong, check_length
from config.lib.ui_tags import bolt


class BrowseAdmin(ModelAdmin):
    """Browse, search, filter. A subclass opens what its app has a service for."""

    list_per_page = 50
    show_full_result_count = False  # a second count over all rows for each search

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        try:
            check_length(search_term)
        except SearchTooLong as error:
            messages.error(request, str(error))
            return queryset.none(), False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(
            request, queryset, search_term
        )
        return found

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class HistoryAdmin(SimpleHistoryAdmin, BrowseAdmin):
    """The same with what changed, when and by whom."""

    history_list_display = ("history_change_reason",)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Also of what was deleted; what cannot be an id is not found."""
        try:
            page: HttpResponse = super().history_view(request, object_id, extra_context)
        except (ValueError, ValidationError) as error:
            raise Http404 from error
        return page

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One row of the history, to read: posting it would write past every service."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied("A change is undone where it was made.")
        try:
            page: HttpResponse = super().history_form_view(
                request, object_id, version_id, extra_context
            )
        except (ValueError, ValidationError) as error:  # as above
            raise Http404 from error
        return page


def made_by_rule(label: str) -> SafeString:
    """The bolt, with `said` for those who hover and those who cannot see it."""
    return format_html('<span role="img" title="{0}" aria-label="{0}">{1}</span>', label, bolt())
