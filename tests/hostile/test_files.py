"""Files that a command reads: nothing of them is sent, or believed, that they do not clearly say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.journal import _journal
from cli.output import CommandError
from cli.publishing import UnreadableFiles, read_files
from services.funding.recompute import main as recompute
from shared.contracts.base import Text
from shared.contracts.catalogue import EXAMPLES, EventType
from shared.contracts.facts import RegistrationAccepted
from shared.messaging.consume import envelope
from shared.refusals import catalogue
from tests.hostile.inputs import Input, each, raw
from tests.unit.delivery_samples import AT, head, record

BOUNDS = {entry.code or name for name, entry in catalogue("bounds").items()} - {"too_many_values"}
"""A file has as many submissions as it likes; a large one is for intake to refuse."""
SYNTAX = [[["bad_json", ""]], [["not_utf8", ""]]]


@each("json")
def test_a_submission_in_a_file_is_sent_as_it_is_written_or_not_at_all(given: Input, tmp_path: Path) -> None:
    """What is wrong with the form is told before anything is sent; the rest is for intake to say."""
    content = bytes.fromhex(given["hex"]) if "hex" in given else raw(given["body"])
    file = tmp_path / "one.json"
    file.write_bytes(b'{"type": "%s", "data": %s}' % (given["type"].encode(), content))
    codes = [] if given["comes"] == "taken" else [one[0] for one in given["comes"]]
    if BOUNDS.intersection(codes) or given["comes"] in SYNTAX:
        with pytest.raises(UnreadableFiles) as refused:
            read_files([file], "04")
        for problem in refused.value.problems:
            assert isinstance(problem.what, Text)
            assert problem.mend.vi
        return
    try:
        (message,) = read_files([file], "04")
    except UnreadableFiles:
        assert content[:1] != b"{", "only what is no object is refused for its form"
    else:
        assert json.loads(message.body) == json.loads(content)


def test_a_journal_with_two_heads_is_no_journal(tmp_path: Path) -> None:
    file = tmp_path / "journal.json"
    file.write_text('{"entries": [], "mark": null, "entries": []}')
    with pytest.raises(CommandError, match="twice"):
        _journal(None, None, "operating", file)


def test_a_snapshot_with_two_results_is_not_computed(tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    file.write_text('{"result": "a", "result": "b"}')
    with pytest.raises(ValueError, match="twice"):
        recompute([str(file)])


@each("shown")
def test_a_fact_that_is_older_than_the_border_is_read_as_it_is(given: Input) -> None:
    """It was accepted, chained and published: refusing it now would stop whoever follows it."""
    example = json.loads((EXAMPLES / f"{EventType.REGISTRATION_ACCEPTED}.json").read_text(encoding="utf-8"))
    fact = {**example["data"], "name": json.loads(given["text"])}
    lying = record(json.dumps(fact).encode(), head(EventType.REGISTRATION_ACCEPTED))
    read = envelope.read(lying, received_at=AT, trusted=True).data
    assert isinstance(read, RegistrationAccepted), read
    assert read.name == json.loads(given["text"])
