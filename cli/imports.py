"""`langhoc import`: the years from before Langhoc, tried, signed once by the ministry, and taken in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import Client
from cli.data import messages_in
from cli.importing import Import, Record, TooEntangled, in_order, named, trials_of, withdrawal_of
from cli.options import AnyProvince, FormatOption, LanguageOption
from cli.output import Column, CommandError, Format, Language, console, dong, emit, moment, number, plain_errors, say
from cli.people import Names
from cli.publishing import LINES, Message
from cli.sheets import NumbersOption, UnitOption, in_words, is_sheet
from shared.answers.imports import ImportView, Trial
from shared.answers.periods import HistoryAnswer
from shared.answers.submissions import Judged
from shared.contracts.base import Problem, Status
from shared.contracts.facts import Receipt
from shared.contracts.imports import MOST_PARTS, HistorySigning
from shared.contracts.orders import HistoricSubmission
from shared.messaging.clock import BusinessClock
from shared.registry import registry
from shared.rulebook import HANOI
from shared.sheets import Options, Repair, SheetRefused, Style, Unit, kinds, open_sheet

REFUSED = ".refused.jsonl"
"""End of the name of the file of records that are not taken."""
ANSWERED = ".answered."
SHOWN = 30
"""Refused records that are printed; the file has all."""
NEW = frozenset({Status.ACCEPTED, Status.ACCEPTED_LATE})
KNOWN = frozenset({Status.UNCHANGED, Status.DUPLICATE})

imports = typer.Typer(help="Take in the years from before Langhoc, in the ministry's name.")


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(imports, name="import")


@imports.command()
def history(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Sheets, JSON or JSON-lines files, and folders of them; a folder named like a province is of it."
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would become of each record, and what to sign.")
    ] = False,
    sign: Annotated[
        str | None, typer.Option("--sign", metavar="DIGEST", help="Sign what the dry run told, and take it in.")
    ] = None,
    why: Annotated[str | None, typer.Option("--why", help="The reason; it stays on record.")] = None,
    decision: Annotated[str | None, typer.Option("--decision", help="Number of the ministry's decision.")] = None,
    province: AnyProvince = None,
    kind: Annotated[str | None, typer.Option(help="What a sheet holds, where it does not say so itself.")] = None,
    numbers: NumbersOption = None,
    unit: UnitOption = None,
    repair_codes: Annotated[
        bool, typer.Option("--repair-codes", help="Put back zeros that codes in a sheet have lost; each is told.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for what the dry run writes; this one without.")
    ] = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Take in registrations, supports, decisions and files of earlier years: first a dry run, then one signature.

    The dry run asks the judge about every record. It writes what would be taken to history-DIGEST.jsonl and the rest,
    each with everything that is wrong with it, to history-DIGEST.refused.jsonl; it ends with 1 when there is a rest.
    Signed is the former: the same again goes on where it stopped, and takes nothing twice.

    Example: langhoc import history supports/ --dry-run
    Then: langhoc import history history-5f0c….jsonl --sign 5f0c… --why "Năm đầu" --decision 12/QĐ-BGDĐT
    """
    with plain_errors():
        if dry_run == (sign is not None):
            raise CommandError("First --dry-run, then --sign with the digest that it tells.")
        repair: frozenset[Repair] = frozenset({"codes"} if repair_codes else ())
        read = _read(files, Beside(province, kind, numbers, unit, repair))
        if sign is None:
            good = _try(read, output or Path(), language, format)
        elif why is None or decision is None:
            raise CommandError("Who signs says --why, and by which --decision.")
        else:
            good = _take_in(read, sign, why, decision, language, format)
    if not good:
        raise typer.Exit(1)


# -------------------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class Beside:
    """What is said beside the files."""

    province: str | None
    kind: str | None
    numbers: Style | None
    unit: Unit | None
    repair: frozenset[Repair]

    def of(self, file: Path) -> str | None:
        """Of which province a file is: as it was said, or as its folder is named."""
        codes = registry().province_codes
        return self.province or next((part for part in reversed(file.parts[:-1]) if part in codes), None)


@dataclass(frozen=True, slots=True)
class Found:
    """What stands in the files."""

    records: list[Record] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Unread:
    """A record that is not taken, as the file of them tells it."""

    file: str
    place: str
    problems: list[Problem]
    province: str | None = None
    type: str | None = None
    data: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, record: Record) -> Unread:
        """A record that was read and is refused."""
        one = record.submission
        return cls(record.file, record.place, [*record.problems], one.province, one.type, one.data)


def _read(paths: Sequence[Path], beside: Beside) -> Found:
    """All records of all files. Raises `CommandError` with everything that is wrong with files that cannot be read."""
    found, wrong = Found(), []
    for file in _files(paths):
        if is_sheet(file):
            try:
                _read_sheet(file, beside, found)
            except SheetRefused as refused:
                wrong += [f"{file}: {in_words(one)}" for one in refused.problems]
        else:
            for place, message in enumerate(messages_in([file], beside.of(file)), start=1):
                found.records.append(Record(_historic(message), str(file), f"record {place}"))
    if wrong:
        raise CommandError("\n".join(wrong))
    return found


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files, of folders all that can be read, whatever these commands wrote among them left out."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for file in sorted(each for each in path.rglob("*") if each.is_file()):
            readable = is_sheet(file) or file.suffix in (*LINES, ".json")
            if readable and not file.name.endswith(REFUSED) and ANSWERED not in file.name:
                yield file


def _read_sheet(file: Path, beside: Beside, found: Found) -> None:
    """A sheet's rows. Raises `SheetRefused`, `CommandError`."""
    province = beside.of(file)
    if province is None:
        raise CommandError(f"{file}: of which province is it? Say --province, or put it into a folder of that name.")
    today = BusinessClock(Client().deployment.clock_offset).now().astimezone(HANOI).date()
    options = Options(province, today, beside.kind, None, None, beside.numbers, beside.unit, None, beside.repair)
    sheet = open_sheet(file, options)
    for row in sheet.rows():
        if row.state == "ready":
            read = HistoricSubmission(type=sheet.form.event, province=province, data=dict(row.data or {}))
            found.records.append(Record(named(read), str(file), f"row {row.number}"))
        elif row.state == "refused":
            found.unread.append(Unread(str(file), f"row {row.number}", row.problems, province, sheet.form.event))


def _historic(message: Message) -> HistoricSubmission:
    data: dict[str, Any] = json.loads(message.body)
    return named(HistoricSubmission(type=message.type, province=message.province, data=data))


# --------------------------------------------------------------------------------------------------------- trying


@dataclass(slots=True)
class Row:
    """What becomes of a province's records of a type."""

    province: str
    type: str
    new: int = 0
    known: int = 0
    held: int = 0
    refused: int = 0
    amount: int = 0
    """Of those that are not refused, in đồng."""

    @property
    def records(self) -> int:
        """All of them."""
        return self.new + self.known + self.held + self.refused


def _try(found: Found, folder: Path, language: Language, format: Format) -> bool:
    """Tell what would become of each record, and write what can be signed; returns whether nothing was refused."""
    records, refused = in_order(found.records)
    repeated = len(found.records) - len(records) - len(refused)
    judged = list(_judged(records))
    taken = [record for record, verdict in judged if not _refuses(verdict)]
    refused += [record.refused(*verdict.problems) for record, verdict in judged if _refuses(verdict)]
    rest = [*found.unread, *map(Unread.of, refused)]
    rows = _rows([(record.submission, verdict.status, record.amount) for record, verdict in judged], rest)
    signed = Import.of(taken)
    if len(signed.parts) > MOST_PARTS:
        raise CommandError(
            f"That are {len(signed.parts)} parts of at most {MOST_PARTS}: import it province by province."
        )
    name = f"history-{signed.digest[:12]}"
    lines = [one.model_dump(mode="json") for part in signed.parts for one in part]
    written = [_write(folder / f"{name}.jsonl", lines)] if taken else []
    if rest:
        written.append(_write(folder / f"{name}{REFUSED}", [_told(one) for one in rest]))
    told = {"digest": signed.digest if taken else None, "rows": rows, "files": written, "repeated": repeated}
    emit(rows, _columns(language), format, full=told)
    if format is Format.TABLE:
        _show_refused(rest, language)
        if repeated:
            say(f"{repeated} records stand there twice; each counts once.")
        for file in written:
            say(f"→ {file}")
        say(f"Digest of {len(taken)} records: {signed.digest}" if taken else "There is nothing to sign.")
    return not rest


def _judged(records: Sequence[Record]) -> Iterator[tuple[Record, Judged]]:
    client, tried = Client(), 0
    try:
        with console.status("Asking the judge") as spinner:
            for ground, some in trials_of(records):
                submissions = [one.submission.model_dump(mode="json") for one in (*ground, *some)]
                answer = client.post("intake", "/history/imports/trial", Trial, {"submissions": submissions})
                yield from zip(some, answer.verdicts[len(ground) :], strict=True)
                tried += len(some)
                spinner.update(f"Asking the judge: {tried} of {len(records)}")
    except TooEntangled as error:
        raise CommandError(f"{error} names more centres than can be tried at once.") from error


def _refuses(verdict: Judged) -> bool:
    """Whether it leaves the record out. What repeats something counts as that did."""
    status = verdict.original.status if verdict.status is Status.DUPLICATE and verdict.original else verdict.status
    return status in (Status.REJECTED, Status.CONFLICT)


def _rows(told: Iterable[tuple[HistoricSubmission, Status, int | None]], rest: Iterable[Unread]) -> list[Row]:
    rows: dict[tuple[str, str], Row] = {}

    def row(province: str | None, type_: str | None) -> Row:
        key = province or "", type_ or ""
        return rows.setdefault(key, Row(*key))

    for one in rest:
        row(one.province, one.type).refused += 1
    for submission, status, amount in told:
        if status in (Status.REJECTED, Status.CONFLICT):
            continue
        line = row(submission.province, submission.type)
        line.new += status in NEW
        line.known += status in KNOWN
        line.held += status is Status.HELD
        line.amount += amount or 0
    return [rows[key] for key in sorted(rows)]


def _columns(language: Language) -> list[Column[Row]]:
    vi, short = language is Language.VI, {type_: name for name, (type_, _) in kinds().items()}
    return [
        Column("province", "Tỉnh" if vi else "Province"),
        Column("type", "Loại" if vi else "Kind", shown=lambda type_: short.get(type_, type_)),
        number("records", "Hồ sơ" if vi else "Records"),
        number("new", "Mới" if vi else "New"),
        number("known", "Đã có" if vi else "Known"),
        number("held", "Tạm giữ" if vi else "Held"),
        number("refused", "Từ chối" if vi else "Refused"),
        Column("amount", "Số tiền ₫" if vi else "Amount ₫", shown=lambda sum_: dong(sum_ or None), number=True),
    ]


def _show_refused(rest: Sequence[Unread], language: Language) -> None:
    for one in rest[:SHOWN]:
        for found in one.problems:
            say(f"{one.file} {one.place} {found.field or '/'}: {language.of(found.said)}")
            say(f"  → {language.of(found.mend)}")
    if len(rest) > SHOWN:
        say(f"… and {len(rest) - SHOWN} more.")


def _told(one: Unread) -> dict[str, Any]:
    problems = [found.model_dump(mode="json") for found in one.problems]
    where = {"file": one.file, "place": one.place, "problems": problems}
    return {**where, "type": one.type, "province": one.province, "data": one.data}


def _write(file: Path, lines: Iterable[Mapping[str, Any]]) -> str:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror or error}") from error
    return str(file)


# -------------------------------------------------------------------------------------------------------- signing


def _take_in(found: Found, digest: str, why: str, decision: str, language: Language, format: Format) -> bool:
    """Sign and hand in, part by part; returns whether every record stands."""
    records, twice = in_order(found.records)
    if found.unread or twice:
        raise CommandError("Not all of it can be taken. Sign the file that the dry run wrote.")
    whole = Import.of(records)
    if whole.digest != digest:
        raise CommandError(
            f"That is the digest of something else; of these {len(records)} records it is {whole.digest}. "
            "Sign the file that the dry run wrote, or run it again."
        )
    order = HistorySigning(
        digest=digest, parts=[*whole.hashes], tally=[*whole.tally], why=why, decision_number=decision
    )
    client = Client()
    signed = client.post("intake", "/history/imports", ImportView, order.model_dump(mode="json"))
    if signed.revoked is not None:
        raise CommandError(f"The import {signed.import_id} was revoked: {signed.revoked.reason}")
    receipts: list[tuple[HistoricSubmission, Receipt]] = []
    with console.status("Taking in") as spinner:
        for count, part in enumerate(whole.parts, start=1):
            if count in signed.taken:
                continue
            spinner.update(f"Taking in part {count} of {len(whole.parts)}")
            body = {"submissions": [one.model_dump(mode="json") for one in part]}
            path = f"/history/imports/{signed.import_id}/parts/{count}"
            receipts += zip(part, client.post("intake", path, HistoryAnswer, body).receipts, strict=True)
    refused = [
        Unread(receipt.channel, receipt.receipt_id, receipt.problems, one.province, one.type, one.data)
        for one, receipt in receipts
        if receipt.status in (Status.REJECTED, Status.CONFLICT)
    ]
    rows = _rows([(one, receipt.status, one.data.get("amount")) for one, receipt in receipts], refused)
    told = {"import_id": signed.import_id, "parts": len(whole.parts), "taken_before": len(signed.taken), "rows": rows}
    emit(rows, _columns(language), format, full=told)
    if format is Format.TABLE:
        _show_refused(refused, language)
        if signed.taken:
            say(f"{len(signed.taken)} of {len(whole.parts)} parts were taken before.")
        say(f"Import {signed.import_id}: every record of {len(whole.parts)} parts has its receipt.")
    return not refused


# ---------------------------------------------------------------------------------------------------- afterwards


@imports.command("list")
def list_imports(
    province: AnyProvince = None, language: LanguageOption = Language.EN, format: FormatOption = Format.TABLE
) -> None:
    """The imports that were signed: by whom, why, how much, and how far each came."""
    with plain_errors():
        client = Client()
        _show(client, list(client.pages("intake", "/history/imports", ImportView, province=province)), language, format)


@imports.command()
def revoke(
    import_id: Annotated[str, typer.Argument(help="Id of the import, from `langhoc import list`.")],
    why: Annotated[str, typer.Option("--why", help="The reason; it stays on record.")],
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Take no further part of an import. What was taken stands; withdraw it by an import of withdrawals.

    There is no way back: the same records need another decision, or another reason.
    """
    with plain_errors():
        client = Client()
        path = f"/history/imports/{import_id}/revocation"
        one = client.post("intake", path, ImportView, {"reason": why})
        _show(client, [one], language, format)
        if one.taken and format is Format.TABLE:
            say(f"{len(one.taken)} of {one.parts} parts were taken before, and stand.", style="yellow")


@imports.command()
def withdrawals(
    import_id: Annotated[str, typer.Argument(help="Id of the import, from `langhoc import list`.")],
    file: Annotated[Path, typer.Argument(help="The file that was signed.")],
    why: Annotated[str, typer.Option("--why", help="The reason of each withdrawal; it stays with it for ever.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; withdrawals-IMPORT.jsonl without.")
    ] = None,
) -> None:
    """Write the file of withdrawals that takes back what an import led to. It is tried and signed like any other.

    What was corrected or withdrawn since then is refused by that dry run, and stays as it is.
    """
    with plain_errors():
        client = Client()
        one = next(
            (one for one in client.pages("intake", "/history/imports", ImportView) if one.import_id == import_id), None
        )
        whole = Import.of(in_order(_read([file], Beside(None, None, None, None, frozenset())).records)[0])
        if one is None or one.digest != whole.digest:
            raise CommandError(f"{file} is not what was signed as {import_id}.")
        made: dict[tuple[str, ...], HistoricSubmission] = {}
        for count in one.taken:  # asked again, a part that was taken is answered as it was
            body = {"submissions": [each.model_dump(mode="json") for each in whole.parts[count - 1]]}
            answer = client.post("intake", f"/history/imports/{import_id}/parts/{count}", HistoryAnswer, body)
            for submission, receipt in zip(whole.parts[count - 1], answer.receipts, strict=True):
                if receipt.status in NEW and receipt.version is not None:
                    back = withdrawal_of(submission, receipt.version, why)
                    about = (receipt.kind, receipt.subject, receipt.period, receipt.purpose)
                    made |= {(submission.province, *map(str, about)): back} if back else {}
        lines = [each.model_dump(mode="json") for each in made.values()]
        say(f"{len(lines)} withdrawals → {_write(output or Path(f'withdrawals-{import_id}.jsonl'), lines)}")


def _show(client: Client, found: Sequence[ImportView], language: Language, format: Format) -> None:
    vi = language is Language.VI
    columns: list[Column[ImportView]] = [
        Column("import_id", "Đợt nhập" if vi else "Import"),
        number("records", "Hồ sơ" if vi else "Records", lambda one: sum(part.records for part in one.tally)),
        Column("provinces", "Tỉnh" if vi else "Provinces", _provinces),
        Column("taken", "Phần đã nhận" if vi else "Parts taken", lambda one: f"{len(one.taken)}/{one.parts}"),
        Column("at", "Ký lúc" if vi else "Signed", lambda one: moment(one.signed_at)),
        Column("by", "Người ký" if vi else "By", lambda one: one.signed_by, Names(client)),
        Column("why", "Lý do" if vi else "Why"),
        Column("decision_number", "Quyết định" if vi else "Decision"),
        Column("revoked", "Đã hủy" if vi else "Revoked", lambda one: one.revoked and one.revoked.reason),
    ]
    emit(found, columns, format, full=list(found))


def _provinces(one: ImportView) -> str:
    counts = Counter(part.province for part in one.tally)
    return ", ".join(sorted(counts))
