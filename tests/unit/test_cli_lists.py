"""Lists of the command in every form and language: what is for programs stands in a sheet as at the terminal."""

from __future__ import annotations

import csv
import io
import json
from itertools import product

import pytest

from cli.data import _alert_columns, _lines_in
from cli.output import Format, Language, emit
from shared.answers.alerts import StandingAlert
from shared.answers.budgets import ToldProposal
from shared.contracts.catalogue import EXAMPLES, EventType

EVERY = list(product(Language, (Format.JSON, Format.CSV)))


def example(type_: EventType) -> str:
    stored = json.loads((EXAMPLES / f"{type_.value}.json").read_text(encoding="utf-8"))
    return json.dumps(stored["data"])


@pytest.mark.parametrize(("language", "format"), EVERY)
def test_alerts_and_lines_are_listed_for_programs(
    language: Language, format: Format, capsys: pytest.CaptureFixture[str]
) -> None:
    alert = StandingAlert.model_validate_json(example(EventType.ALERT_RAISED))
    proposed = json.loads(example(EventType.BUDGET_PROPOSED))
    line = ToldProposal.model_validate({**proposed, "allocation": {**proposed["allocation"], "steps": []}})
    emit([alert], _alert_columns(language), format)
    told = capsys.readouterr().out
    emit([line], _lines_in(language, format), format)
    amounts = capsys.readouterr().out
    if format is Format.JSON:
        assert json.loads(told)[0]["alert_id"] == alert.alert_id
        assert json.loads(amounts)[0]["allocation"]["amount"] == line.allocation.amount
        return
    (row,) = csv.DictReader(io.StringIO(told.removeprefix("\ufeff")))
    assert (row["audience"], row["kind"], row["subject"]) == (alert.audience, alert.kind, alert.subject)
    assert row["text"] == language.of(alert.text)
    (row,) = csv.DictReader(io.StringIO(amounts.removeprefix("\ufeff")))
    assert (row["centre"], row["amount"]) == (line.allocation.centre_id, str(line.allocation.amount))
    assert row["assessment"] == line.allocation.assessment
