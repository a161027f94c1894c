"""Which team is one's own."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from config.accounts.access import signed_in
from config.accounts.forms import TeamForm
from config.accounts.people import set_team
from config.lib.return_address import return_address
from config.lib.toasts import toast


@login_required
@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    person = signed_in(request)
    data = request.POST if request.method == "POST" else None
    form = TeamForm(data, initial={"team": person.team})
    if form.is_valid():
        set_team(person, form.cleaned_data["team"], actor=person)
        toast(request, f"Your team is {person.team}" if person.team else "You are in no team now")
        return redirect(return_address(request, request.POST.get("next", "")) or "home")
    context = {"form": form, "next": request.POST.get("next", request.GET.get("next", ""))}
    status = 422 if form.is_bound else 200
    return render(request, "accounts/team.html", context, status=status)
