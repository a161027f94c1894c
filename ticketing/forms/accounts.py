from __future__ import annotations

from typing import Any

from django import forms

from ticketing.account_data import AccountData
from ticketing.models import JiraAccount
from ticketing.trackers.jira.sites import BadAddress, cloud_id_of, gateway


class AccountForm(forms.Form):
    """Shape only: which addresses, names and tokens are taken, the service says."""

    name = forms.CharField(
        widget=forms.TextInput(attrs={"placeholder": "Acme", "autocomplete": "off"}),
        error_messages={"required": "Enter a name."},
    )
    deployment = forms.ChoiceField(label="Kind", choices=JiraAccount.Deployment.choices)
    site_url = forms.CharField(
        label="Site",
        widget=forms.TextInput(
            attrs={"placeholder": "https://acme.atlassian.net", "inputmode": "url"}
        ),
        error_messages={"required": "Enter the address of your Jira."},
    )
    email = forms.CharField(
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "email", "autocomplete": "off"}),
        help_text="Whose token it is. Jira Data Center needs none.",
    )
    token = forms.CharField(
        label="API token",
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "mono"}),
        help_text="For Jira Data Center, a personal access token.",
    )
    token_expires_on = forms.DateField(
        label="Token expires on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="We warn two weeks before. Tokens of Jira Cloud last a year at most.",
        error_messages={"invalid": "Enter a day as in 2027-11-23."},
    )
    cloud_id = forms.CharField(
        label="Cloud ID",
        required=False,
        widget=forms.TextInput(attrs={"class": "mono", "spellcheck": "false"}),
        help_text=(
            "Only for tokens with scopes and service accounts. It is shown at /_edge/tenant_info "
            "of your site."
        ),
    )
    markup = forms.ChoiceField(
        label="Long text",
        choices=JiraAccount.Markup.choices,
        help_text="Wiki markup works everywhere; the document is Jira Cloud's own format.",
    )

    def __init__(self, *args: Any, account: JiraAccount | None = None, **kwargs: Any) -> None:
        if account:
            kwargs["initial"] = _said_of(account)
        super().__init__(*args, **kwargs)
        token = self.fields["token"]
        token.required = account is None or not account.token
        token.error_messages["required"] = "Enter a token."
        if account and account.token:
            token.help_text = f"Leave it empty to keep {masked(account.token)}."

    def clean_cloud_id(self) -> str:
        """Cleaned to the gateway's address; only a Cloud's token goes through it."""
        cloud_id = self.cleaned_data["cloud_id"].strip()
        if not cloud_id or self.cleaned_data.get("deployment") != JiraAccount.Deployment.CLOUD:
            return ""
        try:
            return gateway(cloud_id)
        except BadAddress as error:
            raise forms.ValidationError(str(error)) from error

    @property
    def account_data(self) -> AccountData:
        said = dict(self.cleaned_data)
        del said["token"]
        return AccountData(api_url=said.pop("cloud_id"), **said)

    def add_service_error(self, error: forms.ValidationError) -> None:
        """The address called is written as a cloud ID here."""
        for name, messages in error.message_dict.items():
            field = "cloud_id" if name == "api_url" else name
            self.add_error(field if field in self.fields else None, messages)

    @property
    def summary(self) -> str:
        wrong = sum(name in self.errors for name in self.fields)
        return f"Fix {wrong} field{'' if wrong == 1 else 's'} to go on." if wrong else ""


def masked(token: str) -> str:
    """A stored secret as it may be shown: its last four characters, if that says little of it."""
    return "•" * 8 + (token[-4:] if len(token) >= 16 else "")


def _said_of(account: JiraAccount) -> dict[str, Any]:
    names = ("name", "deployment", "site_url", "email", "token_expires_on", "markup")
    said = {name: getattr(account, name) for name in names}
    return said | {"cloud_id": cloud_id_of(account.api_url)}
