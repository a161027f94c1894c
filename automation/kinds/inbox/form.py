from __future__ import annotations

from typing import Any

from automation.kinds.action_form import ActionForm
from automation.kinds.inbox.action import AddToInbox


class InboxForm(ActionForm):
    @classmethod
    def values_of(cls, action: AddToInbox) -> dict[str, Any]:
        return {"description": action.description or ""}

    def action(self, was: AddToInbox | None) -> AddToInbox:
        return AddToInbox(description=self.described)
