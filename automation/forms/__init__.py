from automation.forms.criteria import RuleCriteria
from automation.forms.editor import RuleForm
from automation.forms.effect import EffectForm, form_of
from automation.forms.lists import MoveForm, OrderForm, RowForm, RuleFilter

__all__ = [
    "EffectForm",
    "MoveForm",
    "OrderForm",
    "RowForm",
    "RuleCriteria",
    "RuleFilter",
    "RuleForm",
    "form_of",
]
