"""What every admin page has in common: people look, services change, nobody deletes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F, Index, Model, QuerySet, UniqueConstraint
from django.db.models.expressions import OrderBy
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from config.lib.search_text import SearchTooLong, check_length
from config.lib.ui_tags import bolt


class _SortedByIndex(ChangeList):
    """An address that somebody typed sorts by no other column than the page offers."""

    def get_ordering_field(self, field_name: str) -> Any:
        return super().get_ordering_field(field_name) if field_name in self.sortable_by else None


class BrowseAdmin(ModelAdmin):
    """Browse, search, filter. A subclass opens what its app has a service for."""

    list_per_page = 50
    show_full_result_count = False  # a second count over all rows for each search
    show_facets = ShowFacets.NEVER  # a count over all rows for each choice of each filter
    has_many_rows = False
    """Of a table that grows with findings or with time: it is sorted only by what an index serves,
    as a page that sorts a million rows takes seconds."""

    def get_sortable_by(self, request: HttpRequest) -> Any:
        names = [str(name) for name in self.get_list_display(request)]
        if not self.has_many_rows:
            return names
        served = _indexed(self.model)
        return [name for name in names if self._column(name) in served]

    def _column(self, name: str) -> str:
        return str(getattr(getattr(self, name, None), "admin_order_field", name))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _SortedByIndex

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


def _indexed(model: type[Model]) -> set[str]:
    """The columns by which an index over all rows is ordered."""
    meta = model._meta
    uniques = [each for each in meta.constraints if isinstance(each, UniqueConstraint)]
    first = {_first_column(each) for each in (*meta.indexes, *uniques) if each.condition is None}
    own = {field.name for field in meta.concrete_fields if field.unique}
    # Rows are sorted by a relation's own order, which is another table's.
    return (first | own) - {field.name for field in meta.concrete_fields if field.is_relation}


def _first_column(index: Index | UniqueConstraint) -> str:
    if index.fields:
        return index.fields[0].removeprefix("-")
    first = index.expressions[0]
    column = first.expression if isinstance(first, OrderBy) else first
    return str(getattr(column, "name", "")) if isinstance(column, F) else ""


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
