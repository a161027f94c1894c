"""`GET /api/v2/posture_management/findings` and `…/{finding_id}`: the older list of findings.

The same findings as the newer list has, in the older documents.
"""

from __future__ import annotations

from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.accounts.roles import Permission
from config.lib.concurrency import LimitedSearch
from config.lib.datadog_api.schemas import answers, schema_of
from config.lib.datadog_api.shapes import Document
from config.lib.datadog_api.views import PublicView, answer
from config.lib.jsonapi import ApiError
from config.lib.request_handling import Handling, Lane
from config.lib.statement_timeout import statement_timeout
from config.lib.utc import epoch_ms
from findings.api.search_params import SECONDS, search_page
from findings.api.v2 import posture_filters as filters
from findings.api.v2.posture_documents import DetailedFinding, ListedFindings, detailed, listed
from findings.api.v2.search import WITHOUT_TITLE, cursor_of
from findings.columnar.pinned import pinned
from findings.selectors import Order, finding_by_id, finding_count

ABOUT_SNAPSHOTS = (
    "Findings are shown as they are now: no snapshots are kept, and `snapshot_timestamp` is "
    "taken and given back. Newer clients use `/api/v2/security/findings`."
)
_INT64 = {"type": "integer", "format": "int64", "minimum": 1}
_SNAPSHOT = OpenApiParameter(filters.SNAPSHOT, _INT64)
_PARAMETERS = [
    OpenApiParameter(
        filters.LIMIT, _INT64 | {"maximum": filters.MAX_LIMIT, "default": filters.DEFAULT_LIMIT}
    ),
    OpenApiParameter(filters.CURSOR, str, description="`meta.page.cursor` of the page before."),
    _SNAPSHOT,
    OpenApiParameter(filters.TAGS, str, description="`key:value`"),
    *(OpenApiParameter(name, str) for name in (*filters.TIMES, *filters.TEXTS)),
    OpenApiParameter(filters.MUTED, bool),
    OpenApiParameter(filters.EVALUATION, str, enum=[filters.FAIL, filters.PASS]),
    OpenApiParameter(filters.STATUS, str, enum=list(filters.SEVERITIES)),
    OpenApiParameter(filters.KINDS, str, enum=list(filters.VULNERABILITY_TYPES), many=True),
    OpenApiParameter(filters.DETAILED, bool),
]


class PostureFindingsView(LimitedSearch, PublicView):
    handling = Handling(Lane.SEARCH)
    required_permissions = {"GET": Permission.FINDINGS_READ}

    @extend_schema(
        operation_id="list_posture_findings",
        summary="List findings (older)",
        description="Findings of every type, by when their detection changed last. Pages stay "
        "whole while findings arrive. A text may begin with `-` for any other, and hold `*`; a "
        "time may begin with `>`, `>=`, `<` or `<=`. `filter[tags]` and "
        "`filter[vulnerability_type]` may be said more than once, and nothing else. "
        + ABOUT_SNAPSHOTS,
        parameters=_PARAMETERS,
        responses=answers(200, schema_of(ListedFindings), 404) | WITHOUT_TITLE,
    )
    def get(self, request: Request) -> Response:
        params = request.query_params
        filters.check_parameters(params)
        query, limit = filters.query_of(params), filters.limit_of(params)
        after = cursor_of(params.get(filters.CURSOR, ""), parameter=filters.CURSOR)
        snapshot, is_detailed = _snapshot(params), filters.flag_of(params, filters.DETAILED)
        page = search_page(query, order=Order.NEWEST, after=after, limit=limit)
        with pinned(), statement_timeout(SECONDS):
            total = finding_count(query)
        return answer(
            listed(
                page.findings,
                is_detailed=bool(is_detailed),
                total=total,
                after=page.after,
                at=snapshot,
            )
        )


class PostureFindingView(PublicView):
    required_permissions = {"GET": Permission.FINDINGS_READ}

    @extend_schema(
        operation_id="get_posture_finding",
        summary="Show a finding (older)",
        description=ABOUT_SNAPSHOTS,
        parameters=[_SNAPSHOT],
        responses=answers(200, schema_of(Document[DetailedFinding])),
    )
    def get(self, request: Request, finding_id: str) -> Response:
        filters.snapshot_of(request.query_params)
        finding = finding_by_id(finding_id.replace("\0", ""))
        if finding is None:
            raise ApiError(404, detail="finding not found")
        return answer(Document(detailed(finding)))


def _snapshot(params: QueryDict) -> int:
    return filters.snapshot_of(params) or epoch_ms(timezone.now())
