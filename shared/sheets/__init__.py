"""Sheets: a template, what is read of it row by row, and the same sheet with its answers.

Pure over rows (`rows.py`, `values.py`); only `files.py` and `guarding.py` look at a file.
"""

from shared.sheets.answering import ANSWERED, Answer, write_answered
from shared.sheets.columns import Column, Form, SheetRefused, form_of, kinds
from shared.sheets.numbers import UNITS, Style, Unit
from shared.sheets.prefilling import Assessed, Centres, Subject, subjects_of
from shared.sheets.reading import Options, Sheet, open_sheet
from shared.sheets.rows import Row, State
from shared.sheets.template import csv_template, xlsx_template
from shared.sheets.values import Repair
from shared.sheets.words import BECAME, NOT_SENT, READY

__all__ = [
    "ANSWERED",
    "BECAME",
    "NOT_SENT",
    "READY",
    "UNITS",
    "Answer",
    "Assessed",
    "Centres",
    "Column",
    "Form",
    "Options",
    "Repair",
    "Row",
    "Sheet",
    "SheetRefused",
    "State",
    "Style",
    "Subject",
    "Unit",
    "csv_template",
    "form_of",
    "kinds",
    "open_sheet",
    "subjects_of",
    "write_answered",
    "xlsx_template",
]
