"""`langhoc rulebook propose | rehearse | release | package`: the ministry's rules desk. Two persons, one digest."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import rulebook
from cli.client import Client
from cli.options import FormatOption, LanguageOption
from cli.output import Column, CommandError, Format, Language, dong, emit, number, plain_errors, say, say_json
from cli.people import Names
from cli.recompute import read_rules
from shared.answers.rules import (
    FundingRehearsal,
    MovedAmount,
    MovedRank,
    MovedResult,
    ProposalState,
    ProposalView,
    Rehearsing,
    RulesPackage,
    ScoringRehearsal,
)
from shared.contracts.base import Text, content_hash
from shared.registry import registry
from shared.rulebook import HANOI, Series, named_closable
from shared.rulebook.checking import read_all, release
from shared.rulebook.decided import DECIDED, decision_on
from shared.rulebook.overlays import folders

ProposalId = Annotated[str, typer.Argument(help="Id of the proposal, from `langhoc rulebook proposals`.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason or decision; it stays on record.")]
ByOption = Annotated[str | None, typer.Option("--by", help="On the local platform: in whose name.")]
DigestOption = Annotated[str, typer.Option("--digest", help="Of the proposal that was looked at.")]
DESK = "/rule-proposals"
STATES: Mapping[ProposalState, Text] = {
    "proposed": Text(vi="chờ ban hành", en="waits"),
    "withdrawn": Text(vi="đã rút", en="withdrawn"),
    "released": Text(vi="đã ban hành", en="released"),
}
WHAT: Mapping[str, Text] = {
    "support": Text(vi="hỗ trợ", en="support"),
    "equipment": Text(vi="thiết bị", en="equipment"),
    "adjustment": Text(vi="điều chỉnh", en="adjustment"),
}
RESERVE = Text(vi="(dự phòng)", en="(reserve)")
CITIZEN = Text(vi="công dân học tập", en="learning citizens")


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands, under `rulebook`."""
    for command in (propose, proposals, rehearse, release_proposal, withdraw, package):
        name = "release" if command is release_proposal else None
        rulebook.app.command(name)(command)


# ------------------------------------------------------------------------------------------------- propose, decide


def propose(
    paths: Annotated[list[Path], typer.Argument(help="Files of rules, or folders in a rulebook's layout.")],
    why: WhyOption,
    by: ByOption = None,
    id: Annotated[str | None, typer.Option("--id", help="The proposal's own id, to make the same again.")] = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Propose rules to be released by somebody else. They are proven beside the rules in use; nothing changes.

    Example: langhoc rulebook propose provinces/48/point_tables/2026.yaml --why "Quyết định 12/QĐ-UBND"
    """
    with plain_errors():
        files: dict[str, str] = {}
        for path in paths:
            for place, text in read_rules(path).items():
                if files.setdefault(place, text) != text:
                    raise CommandError(f"Two of the files belong in the same place, {place}, and differ.")
        client = Client(by)
        body = {"id": id or uuid.uuid4().hex, "files": files, "why": why}
        _tell(client, client.post("scoring", DESK, ProposalView, body), language, format)


def proposals(
    state: Annotated[ProposalState | None, typer.Option(help="Only those in this state.")] = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Rules that were proposed: who, why, what became of them, and whether they are in use."""
    with plain_errors():
        client = Client()
        found = list(client.pages("scoring", DESK, ProposalView, state=state))
        vi = language is Language.VI
        names = Names(client) if format is Format.TABLE else str
        columns: list[Column[ProposalView]] = [
            Column("id", "Đề nghị" if vi else "Proposal"),
            Column("state", "Tình trạng" if vi else "State", shown=lambda state: language.of(STATES[state])),
            Column("in_use", "Đang dùng" if vi else "In use", shown=lambda used: ("", "✓")[used]),
            Column("proposed_by", "Người đề nghị" if vi else "By", shown=names),
            Column("proposed_at", "Ngày" if vi else "On", shown=lambda at: _day(at, language)),
            Column("why", "Căn cứ" if vi else "Why"),
            Column("decided_by", "Người quyết định" if vi else "Decided by", _decided_by, names),
        ]
        emit(found, columns, format, title="Quy định được đề nghị" if vi else "Proposed rules", full=found)


def release_proposal(
    proposal: ProposalId,
    digest: DigestOption,
    why: WhyOption,
    by: ByOption = None,
    seen: Annotated[str | None, typer.Option("--seen", help="Digest of the rehearsal that you have seen.")] = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Release what somebody else proposed, by its digest. It is used once it is installed and the services restarted.

    Example: langhoc rulebook release QD-12 --digest 6f1c… --why "Thứ trưởng ký ngày 04/5/2026" --by binh
    """
    with plain_errors():
        client = Client(by)
        body = {"digest": digest, "why": why, "seen": seen}
        _tell(client, client.post("scoring", f"{DESK}/{proposal}/release", ProposalView, body), language, format)


def withdraw(
    proposal: ProposalId,
    digest: DigestOption,
    why: WhyOption,
    by: ByOption = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Take a proposal back before it is released. What was released is ended by the release of what follows it."""
    with plain_errors():
        client = Client(by)
        body = {"digest": digest, "why": why}
        _tell(client, client.post("scoring", f"{DESK}/{proposal}/withdraw", ProposalView, body), language, format)


def _tell(client: Client, found: ProposalView, language: Language, format: Format) -> None:
    if format is not Format.TABLE:
        say_json(found.model_dump_json())
        return
    vi, names = language is Language.VI, Names(client)
    say(f"{found.id}: {language.of(STATES[found.state])}")
    say(f"  {'Mã đối chiếu' if vi else 'Digest'} {found.digest}")
    say(f"  {names(found.proposed_by)}, {_day(found.proposed_at, language)}: {found.why}", soft_wrap=True)
    if found.decided:
        say(f"  {names(found.decided.by)}, {_day(found.decided.at, language)}: {found.decided.why}", soft_wrap=True)
    for place in found.files:
        say(f"    {place}", soft_wrap=True)
    told = (
        ("mới" if vi else "new", found.new),
        ("kết thúc" if vi else "ended", found.ended),
        ("sửa câu chữ" if vi else "reworded", found.reworded),
    )
    for word, ids in told:
        if ids:
            say(f"  {word}: {', '.join(ids)}", soft_wrap=True)
    if not found.is_current and not found.in_use:
        say(
            "  Quy định đang dùng đã khác: phải đề nghị lại."
            if vi
            else "  The rules in use are other ones by now: propose it anew."
        )


def _day(at: datetime, language: Language) -> str:
    return language.words.day(at.astimezone(HANOI))


def _decided_by(one: ProposalView) -> str | None:
    return one.decided.by if one.decided else None


# -------------------------------------------------------------------------------------------------------- rehearse


def rehearse(
    proposal: ProposalId,
    period: Annotated[int, typer.Option(help="Period whose results are judged by the proposed rules.")],
    top: Annotated[int, typer.Option(min=0, max=5_000, help="How many of each are listed; all are counted.")] = 20,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Which results, ranks and amounts the proposed rules would move, on all that is kept. Nothing is written.

    It tells what comes of it once they are in use and the period is judged again: langhoc recompute.
    """
    with plain_errors():
        if format is Format.CSV:
            raise CommandError("A rehearsal has several tables: ask for them with --format json.")
        client = Client()
        found = client.get("scoring", f"{DESK}/{proposal}", ProposalView)
        body: dict[str, Any] = {"period": period, "shown": top}
        scored = client.post("scoring", f"{DESK}/{proposal}/rehearsal", ScoringRehearsal, body)
        money = _money(client, found, scored, top)
        seen = content_hash([scored.seen, {code: one.seen for code, one in money.items()}])
        if format is Format.JSON:
            told = {"scoring": scored.model_dump(mode="json", exclude={"scores"}), "seen": seen}
            told["funding"] = {code: one.model_dump(mode="json") for code, one in money.items()}
            emit([], [], format, full=told)
            return
        _show(scored, money, top, language)
        vi = language is Language.VI
        say(f"{'Mã đối chiếu của đề nghị' if vi else 'Digest of the proposal'}: {found.digest}", soft_wrap=True)
        say(f"{'Mã đối chiếu của bản tính thử' if vi else 'Digest of this rehearsal'}: {seen}", soft_wrap=True)


def _money(client: Client, found: ProposalView, scored: ScoringRehearsal, top: int) -> dict[str, FundingRehearsal]:
    """Funding's rehearsal of each province. Raises `CommandError` where it goes by other rules than scoring."""
    money = {}
    for code in sorted(each.code for each in registry().provinces(datetime.now(HANOI).date())):
        scores = [each.model_dump(mode="json") for each in scored.scores if each.province == code]
        body = {"files": found.files, "scores": scores, "shown": top}
        money[code] = client.post("funding", f"/rule-rehearsals/{code}", FundingRehearsal, body)
        if money[code].digest != found.digest:
            raise CommandError("Funding goes by other rules than scoring: install the same folders for all services.")
    return money


def _show(scored: ScoringRehearsal, money: Mapping[str, FundingRehearsal], top: int, language: Language) -> None:
    vi, words = language is Language.VI, language.words
    results = f"{'Kết quả thay đổi' if vi else 'Results that change'}: {words(scored.moved)} / {words(scored.judged)}"
    emit(scored.results[:top], _results(language), Format.TABLE, title=results)
    for kind, moved in scored.by_kind.items():
        say(f"  {language.of(_named(kind))}: {words(moved)}")
    if scored.unjudged:
        say(f"  {'Không tính được' if vi else 'Cannot be judged'}: {words(scored.unjudged)}")
    if scored.otherwise:
        said = "Chỉ có phiên bản mới, điểm và mức như cũ" if vi else "A new version alone, points and level as before"
        say(f"  {said}: {words(scored.otherwise)}")
    ranks = f"{'Thứ hạng thay đổi' if vi else 'Ranks that change'}: {words(scored.ranks_moved)}"
    emit(scored.ranks[:top], _ranks(language), Format.TABLE, title=ranks)
    for scope, moved in scored.by_scope.items():
        say(f"  {scope}: {words(moved)}")
    for scope, reason in scored.unranked.items():
        say(f"  {scope}: {language.of(reason)}", soft_wrap=True)
    amounts = [each for one in money.values() for each in one.amounts]
    count = words(sum(one.amounts_moved for one in money.values()))
    title = f"{'Số tiền thay đổi' if vi else 'Amounts that change'}: {count}"
    emit(amounts[:top], _amounts(language), Format.TABLE, title=title)
    for budget in [each for one in money.values() for each in one.moved]:
        if budget.why is not None:
            say(f"  {budget.province}/{budget.year}: {language.of(budget.why)}", soft_wrap=True)
        elif budget.before is not None and budget.after is not None:
            say(f"  {budget.province}/{budget.year}: {dong(budget.before)} → {dong(budget.after)} đồng")


def _named(kind: Series) -> Text:
    """What was judged, in words within a sentence."""
    return CITIZEN if kind == "learning_citizen" else named_closable(kind)


def _results(language: Language) -> list[Column[MovedResult]]:
    vi = language is Language.VI
    return [
        Column("province", "Tỉnh" if vi else "Prov."),
        Column("kind", "Loại" if vi else "Kind", shown=lambda kind: language.of(_named(kind))),
        Column("subject", "Đối tượng" if vi else "Subject"),
        Column("name", "Tên" if vi else "Name"),
        Column("before", "Trước" if vi else "Before", shown=lambda one: _figures(one, language)),
        Column("after", "Sau" if vi else "After", _after(language)),
    ]


def _after(language: Language) -> Any:
    def told(one: MovedResult) -> str:
        if one.after is not None:
            return _figures(one.after, language)
        return language.of(one.why) if one.why else "—"

    return told


def _figures(one: Rehearsing, language: Language) -> str:
    """What there is of points, grade and level; of a result that has none, its state."""
    total = None if one.total is None else language.words(one.total)
    level = None if one.level is None else f"{'mức' if language is Language.VI else 'level'} {one.level}"
    return " ".join(each for each in (total, one.grade, level) if each) or one.state


def _ranks(language: Language) -> list[Column[MovedRank]]:
    vi = language is Language.VI
    return [
        Column("scope", "Bảng" if vi else "Ranking"),
        Column("code", "Mã" if vi else "Code"),
        Column("name", "Xã, phường" if vi else "Commune"),
        number("before", "Trước" if vi else "Before"),
        number("after", "Sau" if vi else "After"),
    ]


def _amounts(language: Language) -> list[Column[MovedAmount]]:
    vi = language is Language.VI
    return [
        Column("province", "Tỉnh" if vi else "Prov."),
        number("year", "Năm" if vi else "Year"),
        Column("centre_id", "Trung tâm" if vi else "Centre", lambda one: one.centre_id or language.of(RESERVE)),
        Column("what", "Khoản" if vi else "What", shown=lambda what: language.of(WHAT[what])),
        Column("before", "Trước" if vi else "Before", shown=dong, number=True),
        Column("after", "Sau" if vi else "After", shown=dong, number=True),
    ]


# --------------------------------------------------------------------------------------------------------- package


def package(
    proposal: ProposalId,
    folder: Annotated[Path, typer.Argument(help="A new folder; those in packages/ are read in order of name.")],
) -> None:
    """Write released rules into a folder of their own, with who decided on them.

    Example: langhoc rulebook package QD-12 /etc/langhoc/rulebook/packages/2026-05-04-qd-12
    """
    with plain_errors():
        found = Client().get("scoring", f"{DESK}/{proposal}/package", RulesPackage)
        if folder.exists() and any(folder.iterdir()):
            raise CommandError(f"{folder} is not empty: every package has a folder of its own.")
        _write(folder, found.files)
        book = read_all((*folders(), folder))
        if book.errors:
            raise CommandError("\n".join(map(str, book.errors)))
        decided = decision_on(folder, DECIDED)
        if decided is None or decided.digest != found.digest:
            raise CommandError("The record is not that of the package. Fetch it anew, into another folder.")
        release(folder, book.rules)
        say(f"{folder}: {len(found.files) - 1} files, digest {found.digest}", soft_wrap=True)
        say("It is used by services that start with it: in packages/ of their own rules, or last in LANGHOC_RULEBOOK.")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for place, text in files.items():
        file = folder / place
        if not file.resolve().is_relative_to(folder.resolve()):
            raise CommandError(f"{place} leads out of the folder.")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error}") from error
