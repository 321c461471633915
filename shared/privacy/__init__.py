"""How long what is kept, as dated data; and what stands in the place of what was erased."""

from shared.privacy.erasing import ERASED_LINE, RETENTION, Erased, erased_text, erased_words, found_in
from shared.privacy.policy import Rule, policy_on, rule_on, rules

__all__ = [
    "ERASED_LINE",
    "RETENTION",
    "Erased",
    "Rule",
    "erased_text",
    "erased_words",
    "found_in",
    "policy_on",
    "rule_on",
    "rules",
]
