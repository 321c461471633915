"""Corrections of an approved budget: what they would change, and what people decide of that."""

from services.funding.decisions.adjustment.corrections import ADJUSTMENTS, Adjusting, Decisions
from services.funding.decisions.adjustment.deciding import decide_on_adjustment
from services.funding.decisions.adjustment.following import follow

__all__ = ["ADJUSTMENTS", "Adjusting", "Decisions", "decide_on_adjustment", "follow"]
