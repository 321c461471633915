"""Submission + state → receipt, accepted fact, new state. Pure; called by the pipeline.

Collections: `submissions` (ids that are used up), `aggregates` (what is accepted per kind, subject and period),
`versions` (every version that was ever accepted, without its content), `receipts` (every answer ever given, with the
raw bytes it answers), `learning_units` (to whom an id belongs), `register` (the corrections of the register).
"""

from services.intake.decisions.receipts import receipt_ref, refusals
from services.intake.decisions.submissions import routes

__all__ = ["receipt_ref", "refusals", "routes"]
