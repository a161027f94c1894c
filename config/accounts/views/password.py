"""One's own password."""

from __future__ import annotations

from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from config.accounts.access import signed_in
from config.accounts.forms import OwnPasswordForm
from config.accounts.people import change_own_password
from config.lib.return_address import return_address
from config.lib.toasts import toast


@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "POST"])
@never_cache
def change(request: HttpRequest) -> HttpResponse:
    person = signed_in(request)
    template = "password_required" if person.must_change_password else "password"
    form = OwnPasswordForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        change_own_password(person, form.cleaned_data["new_password"])
        update_session_auth_hash(request, person)
        toast(request, "Password changed", "You are signed out everywhere else.")
        return redirect(return_address(request, request.POST.get("next", "")) or "home")
    context = {"form": form, "next": request.POST.get("next", request.GET.get("next", ""))}
    status = 422 if form.is_bound else 200
    return render(request, f"accounts/{template}.html", context, status=status)
