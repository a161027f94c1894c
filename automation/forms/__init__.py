from automation.forms.criteria import RuleCriteria
from automation.forms.editor import RuleForm
from automation.forms.lists import MoveForm, OrderForm, RuleFilter

__all__ = ["MoveForm", "OrderForm", "RuleCriteria", "RuleFilter", "RuleForm"]
