"""Undo, of whatever kind: asked for by a toast or a history, answered with a toast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from config.accounts.access import require, signed_in
from config.accounts.models import Act
from config.accounts.roles import Permission
from config.accounts.undo.acts import is_theirs
from config.accounts.undo.registry import CannotUndo, Later, Outcome, reverse_of
from config.accounts.undo.service import AlreadyUndone, HourPassed, undo
from config.lib.elapsed import when_text
from config.lib.return_address import referring_page, return_address
from config.lib.statement_timeout import SECONDS, QueryTimeout, statement_timeout
from config.lib.toasts import toast

_NOTHING = "Nothing was changed."
_MAX_NAMED = 2
_MAX_LISTED = 200


@require(Permission.FINDINGS_READ)
@require_POST
def undo_act(request: HttpRequest, act_id: UUID) -> HttpResponse:
    """For who acted, and for admins; what the act itself needed is asked by the service."""
    try:
        with statement_timeout():
            outcome = undo(act_id, actor=signed_in(request))
    except Act.DoesNotExist as error:
        raise Http404 from error
    except AlreadyUndone as already:
        _say_undone_before(request, already.act)
    except HourPassed:
        toast(request, "Undo is no longer offered", "An hour has passed.", level=messages.INFO)
    except CannotUndo as refusal:
        text = f"{refusal} {_NOTHING}"
        toast(request, "Not undone", text, level=messages.WARNING)
    except QueryTimeout:
        _offer_again(request)
    else:
        _say_outcome(request, act_id, outcome)
    return redirect(_way_back(request))


@require(Permission.FINDINGS_READ)
@require_GET
def show_left(request: HttpRequest, act_id: UUID) -> HttpResponse:
    """What of an act was not put back, and why."""
    act = get_object_or_404(Act.objects.select_related("actor", "undone_by"), pk=act_id)
    if not is_theirs(act, signed_in(request)):
        raise Http404
    rows = list(act.rows.all())
    left = [row for row in rows if row.reason]
    links = reverse_of(act.kind).links_to([row.object_id for row in left])
    listed = [(links.get(row.object_id), row.reason) for row in left[:_MAX_LISTED]]
    context = {"act": act, "left": listed, "total": len(rows), "number": len(left)}
    return render(request, "accounts/undo_left.html", context)


def _say_undone_before(request: HttpRequest, act: Act) -> None:
    if act.undone_at is None or act.undone_by is None:
        raise ValueError("an act that was not undone")
    text = f"{act.undone_by.name} undid it {when_text(act.undone_at)}."
    toast(request, "Already undone", text, level=messages.INFO)


def _offer_again(request: HttpRequest) -> None:
    toast(
        request,
        "Not undone",
        f"The server did not answer in {SECONDS} s. {_NOTHING}",
        level=messages.ERROR,
        undo_url=request.path,
        undo_label="Try again",
    )


def _say_outcome(request: HttpRequest, act_id: UUID, outcome: Outcome) -> None:
    if outcome.left:
        _say_left(request, act_id, outcome)
        return
    toast(
        request,
        outcome.title,
        outcome.text,
        level=messages.WARNING if outcome.is_warning else messages.SUCCESS,
        by_rule=outcome.is_of_rule and not outcome.is_warning,
        link=outcome.link,
        icon="" if outcome.is_warning else "undo-2",
        progress_url=outcome.progress_url,
        progress_max=outcome.progress_max,
    )


def _say_left(request: HttpRequest, act_id: UUID, outcome: Outcome) -> None:
    """Some of it was changed since, or all."""
    left, total = list(outcome.left.values()), outcome.total
    is_all = len(left) == total
    title = "Not undone" if is_all else f"{total - len(left):,} of {total:,} undone"
    sentences = [left[0].sentence() if len(left) == 1 else _who_changed(left)]
    if is_all:
        sentences.append(_NOTHING)
    listed = (f"Show the {len(left):,}", reverse("undo-left", args=[act_id]))
    toast(
        request,
        title,
        " ".join(sentences),
        level=messages.WARNING,
        link=None if is_all else listed,
    )


def _who_changed(left: Sequence[Later]) -> str:
    """ "3 were changed since: Lena Brandt changed 2, rule Exposed secrets 1." """
    people = Counter(each.who for each in left if each.who)
    others = len(left) - people.total()
    named = [f"{who} changed {number:,}" for who, number in people.most_common(_MAX_NAMED)]
    if others:
        named.append(f"{others:,} cannot be put back")
    return f"{len(left):,} are left as they are: {', '.join(named)}."


def _way_back(request: HttpRequest) -> str:
    candidates = (request.POST.get("next", ""), referring_page(request))
    return return_address(request, *candidates) or reverse("overview")
