"""Why a centre gets what it gets: the steps of one amount, in Vietnamese and English, each with its ground."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from services.funding.domain.centres import (
    MONTHS,
    Centre,
    Factors,
    Grade,
    Lineage,
    Part,
    Record,
    Succession,
    base_of,
    counted,
    floor_of,
    held,
    meanwhile,
    stake_of,
    takes_over,
)
from services.funding.domain.corrections import corrected, still_owed
from services.funding.domain.departures import departed
from services.funding.domain.equipment import Equipment, explain_grant
from services.funding.domain.grounds import Grounds, UnknownRule, grounds_of
from services.funding.domain.imports import imported_step
from services.funding.domain.sharing import Binds, Share, Stake
from shared.contracts.base import Provenance, RuleRef, Step, Text
from shared.contracts.facts import (
    Allocation,
    Basis,
    BudgetRunProposed,
    SupportLineage,
    SupportOnRecord,
    SupportSuccession,
    TakenOver,
)
from shared.rulebook import HANOI, FundingNorms, FundingPolicy
from shared.rulebook.source import Grounded
from shared.wording import AREAS, EN, VI


@dataclass(frozen=True, slots=True)
class Account:
    """What every line of one budget refers to when it explains itself. Money in đồng."""

    run: BudgetRunProposed
    grounds: Grounds
    norms_relaxed: bool
    """The envelope cannot pay a province's own higher norms, so they only bound what the law's minima leave."""
    cap: int | None
    """What bounds a centre without a base: the largest upper bound of one that has one."""

    @property
    def period(self) -> int:
        """The assessment period that decides."""
        return self.run.year - 1

    @property
    def envelope(self) -> int:
        """What is shared among the lines."""
        return self.run.envelope - self.run.carried - self.run.equipment

    @property
    def norms(self) -> FundingNorms:
        """The legal minima, or a province's own norms above them."""
        return self.grounds.norms

    @property
    def policy(self) -> FundingPolicy:
        """What moves money above them."""
        return self.grounds.policy

    @property
    def lambda_(self) -> Fraction | None:
        """Đồng per unit of weight."""
        return None if self.run.lambda_ is None else Fraction(self.run.lambda_)

    @property
    def theta(self) -> Fraction | None:
        """Part of the protected amounts that is paid."""
        return None if self.run.theta is None else Fraction(self.run.theta)


def explained(line: Allocation, run: BudgetRunProposed | None) -> list[Step]:
    """The steps of a line, in the words of the rules that its run names.

    Pure but for the rulebook. Where a rule or the run is not known any more the only step says so: words of another one
    would be wrong. A line of an earlier release tells what it told then.

    Args:
        line: of the run, or a correction of it.
        run: the one that stands, or that was approved.
    """
    if line.told:
        return list(line.told)
    named = line.correction.rules if line.correction else run.rules if run else ()
    try:
        return worded(line, run, grounds_of(named)) if run else [_NO_RUN]
    except UnknownRule as unknown:
        return [_unknown(unknown.ref)]


_NO_RUN = Step(
    what=Text(
        vi="Không còn bản đề nghị mà mức này thuộc về, nên không giải thích được.",
        en="The proposal that this amount belongs to is not there any more, so it cannot be explained.",
    ),
    citation="",
    provenance=Provenance.NOT_FOUND,
)


def _unknown(ref: RuleRef) -> Step:
    what = Text(
        vi=f"Mức này được tính theo quy định {ref.id} (bản {ref.revision[:12]}), mà bản phát hành này không có, nên "
        "không giải thích bằng lời.",
        en=f"It was computed by the rule {ref.id} (revision {ref.revision[:12]}), which this release does not have, so "
        "there are no words for it.",
    )
    return Step(what=what, citation=ref.id, provenance=Provenance.NOT_FOUND)


def worded(line: Allocation, run: BudgetRunProposed, grounds: Grounds) -> list[Step]:
    """The steps of a line, in the words of these rules. Raises `UnknownRule`: they name no such grade."""
    correction, basis = line.correction, line.basis
    if line.departure is not None and not (correction and line.amount):
        return [departed(line.departure, run.year, grounds.policy)]
    before = _steps(line, run, grounds, basis) if basis else []
    if correction is None:
        return before
    owed = [] if correction.owed is None else [still_owed(correction.owed, run.year, grounds.policy)]
    return [*owed, *before[:-_OF_RUN], *corrected(correction, run, grounds.policy)]


def _steps(line: Allocation, run: BudgetRunProposed, grounds: Grounds, basis: Basis) -> list[Step]:
    if basis.equipment is None:
        return explain(Account(run, grounds, basis.norms_relaxed, basis.cap), line, basis)
    equipment = Equipment(basis.equipment.standing, basis.equipment.paid)
    share = Share(Fraction(line.exact), line.amount, line.binds)
    steps = explain_grant(grounds.norms, grounds.policy, run, share, equipment)
    told = imported_step(basis)
    return steps if told is None else [*steps, told]


_OF_RUN = 2
"""The last steps tell the share in a run and its rounding; a correction tells its own."""


def explain(account: Account, line: Allocation, basis: Basis) -> list[Step]:
    """The way from the legal minimum to the amount."""
    centre = _centre(line, basis, account)
    performance, equity, size = map(Fraction, (line.performance_factor, line.equity_factor, line.size_factor))
    factors = Factors(performance, equity, size, Fraction(line.months, MONTHS))
    stake = Stake(line.centre_id, line.floor, line.lower, line.upper, Fraction(line.weight))
    share = Share(Fraction(line.exact), line.amount, line.binds)
    unbound = stake_of(centre, factors.weight, account.run.year, account.norms, account.policy).upper is None
    steps = [
        _area_step(account, centre),
        _floor_step(account, centre),
        _own_norm_step(account, centre),
        _months_step(account, centre),
        _performance_step(account, centre, factors),
        _equity_step(account, centre, factors),
        _size_step(account, centre, factors),
        _succession_step(account, centre),
        _bounds_step(account, centre, stake, baseless=unbound),
        imported_step(basis),
        _share_step(account, stake, share),
        _rounding_step(account, share),
    ]
    return [step for step in steps if step is not None]


def _centre(line: Allocation, basis: Basis, account: Account) -> Centre:
    """The centre as the computation saw it."""
    return Centre(
        centre_id=line.centre_id,
        name=line.name,
        commune_code=line.commune_code,
        area_class=basis.area_class,
        population_served=basis.population_served,
        last_year=line.last_year,
        assessment="not_due" if "not_due" in line.flags else line.assessment,
        grade=_grade(line, basis, account.grounds),
        months=line.months,
        last_months=basis.last_months,
        succession=None if basis.succession is None else _succession(basis.succession),
        lineage=None if basis.lineage is None else _lineage(basis.lineage),
        unknown=basis.unknown,
        waits_until=line.awaited_until,
    )


def _grade(line: Allocation, basis: Basis, grounds: Grounds) -> Grade | None:
    if line.grade is None or basis.graded is None:
        return None
    rubric, period = basis.graded.rubric, basis.graded.period
    name = grounds.grades.get(f"{rubric}/{line.grade}")
    if name is None:
        raise UnknownRule(RuleRef(id=rubric, revision=""))
    return Grade(line.grade, name, period, line.score, rubric, basis.graded.decision_number)


def _succession(told: SupportSuccession) -> Succession:
    return Succession(told.year, told.own, _parts(told.parts))


def _lineage(told: SupportLineage) -> Lineage:
    before = None if told.before is None else _on_record(told.before)
    return Lineage(told.year, _on_record(told.last), before, told.since)


def _on_record(record: SupportOnRecord) -> Record:
    return Record(record.year, record.own, _parts(record.parts))


def _parts(parts: Iterable[TakenOver]) -> tuple[Part, ...]:
    return tuple(Part(part.predecessor, part.support, part.amount, part.months) for part in parts)


_BINDS: Mapping[Binds, Text] = {
    "floor": Text(vi="mức tối thiểu quyết định", en="the minimum decides"),
    "lower": Text(vi="giới hạn dưới quyết định", en="the lower bound decides"),
    "upper": Text(vi="giới hạn trên quyết định", en="the upper bound decides"),
    "none": Text(vi="nằm trong các giới hạn", en="within its bounds"),
}


def _area_step(account: Account, centre: Centre) -> Step:
    """The class is what the province declared. The law says which list decides, and nobody found it by commune."""
    area = AREAS[centre.area_class]
    return Step(
        what=Text(
            vi=f"Tỉnh khai: xã {area.vi}. Chưa tìm thấy danh mục theo xã để đối chiếu.",
            en=f"Declared by the province: commune {area.en}. No list by commune was found to check it against.",
        ),
        citation=account.grounds.areas or account.norms.eligibility.citation,
        provenance=Provenance.PARTLY if account.grounds.areas else Provenance.NOT_FOUND,
    )


def _floor_step(account: Account, centre: Centre) -> Step:
    norm = account.norms.legal(centre.area_class)
    area = AREAS[centre.area_class]
    if norm.amount:
        what = Text(
            vi=f"Mức hỗ trợ tối thiểu một năm ({area.vi}): {VI.money(norm.amount)}.",
            en=f"Legal minimum of support per year ({area.en}): {EN.money(norm.amount)}.",
        )
    else:
        what = Text(
            vi=f"Xã {area.vi}: không quy định mức hỗ trợ tối thiểu, tỉnh quyết định.",
            en=f"Commune {area.en}: no legal minimum; the province decides.",
        )
    return Step(what=what, citation=norm.citation, provenance=norm.provenance)


def _own_norm_step(account: Account, centre: Centre) -> Step | None:
    own, law = account.norms.floor(centre.area_class), account.norms.legal(centre.area_class)
    if own.amount == law.amount:
        return None
    what = Text(
        vi=f"Tỉnh quy định mức cao hơn: {VI.money(own.amount)} một năm"
        f"{'; kinh phí không đủ chi mức này cho mọi trung tâm' if account.norms_relaxed else ''}.",
        en=f"The province grants more: {EN.money(own.amount)} per year"
        f"{'; the envelope cannot pay that to every centre' if account.norms_relaxed else ''}.",
    )
    return Step(what=what, citation=own.citation, provenance=own.provenance)


def _months_step(account: Account, centre: Centre) -> Step | None:
    if centre.months == MONTHS:
        return None
    rule, policy = account.policy.proration, account.policy
    floor = floor_of(account.norms.floor(centre.area_class).amount, centre, policy)
    day = "cuối" if rule.counts == "last_day" else "đầu"
    what = Text(
        vi=f"Hoạt động {centre.months}/{MONTHS} tháng của năm {account.period + 1} (tính tháng mà trung tâm tồn tại "
        f"vào ngày {day} tháng): mức tối thiểu {VI.money(floor)}, làm tròn lên.",
        en=f"Open for {centre.months}/{MONTHS} months of {account.period + 1} (a month counts where the centre exists "
        f"on its {'last' if rule.counts == 'last_day' else 'first'} day): minimum {EN.money(floor)}, rounded up.",
    )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _performance_step(account: Account, centre: Centre, factors: Factors) -> Step:
    policy = account.policy
    rule: Grounded = meanwhile(centre, policy) or policy.performance
    if centre.assessment in ("not_submitted", "not_due"):
        rule = policy.not_submitted if centre.assessment == "not_submitted" else policy.not_due
    return Step(what=_performance(account, centre, factors), citation=rule.citation, provenance=rule.provenance)


def _performance(account: Account, centre: Centre, factors: Factors) -> Text:
    period, policy, factor = account.period, account.policy, factors.performance
    kept = held(centre, policy)
    kept_vi = "vẫn giữ mức bảo đảm so với năm trước" if kept else "không áp dụng mức bảo đảm so với năm trước"
    kept_en = "last year's support stays protected" if kept else "last year's support is not protected"
    grade = counted(centre, policy)
    if centre.assessment == "not_submitted" and policy.awaited is not None:
        return Text(
            vi=f"Đến hết hạn nộp không có hồ sơ đánh giá kỳ {period}, hoặc hồ sơ không được chấp nhận trước khi khóa "
            f"sổ: hệ số hiệu quả {VI(factor)}, {kept_vi}.",
            en=f"No assessment of period {period} came by the deadline, or none was accepted before the period closed: "
            f"performance factor {EN(factor)}, and {kept_en}.",
        )
    if centre.assessment == "not_submitted":
        return Text(
            vi=f"Không có hồ sơ đánh giá kỳ {period}: hệ số hiệu quả {VI(factor)}, {kept_vi}.",
            en=f"No assessment was submitted for period {period}: performance factor {EN(factor)}, and {kept_en}.",
        )
    if centre.assessment == "not_due":
        return Text(
            vi=f"Trung tâm thành lập sau kỳ đánh giá {period} nên chưa phải nộp hồ sơ: hệ số hiệu quả {VI(factor)}, "
            f"{kept_vi}.",
            en=f"The centre opened after assessment period {period}, so nothing was due: performance factor "
            f"{EN(factor)}, and {kept_en}.",
        )
    if meanwhile(centre, policy) is not None:
        where = _waiting(centre, period)
        if grade is None:
            return Text(
                vi=f"{where.vi} và không có xếp loại nào của kỳ trước được tính: tạm tính hệ số hiệu quả {VI(factor)} "
                f"như khi chưa nộp, nhưng {kept_vi}.",
                en=f"{where.en} and no earlier grade counts: performance factor {EN(factor)} meanwhile, as if nothing "
                f"was submitted, yet {kept_en}.",
            )
        result, by = _result(grade, policy), _decided(grade)
        return Text(
            vi=f"{where.vi}: tạm tính theo xếp loại gần nhất, {result.vi} của kỳ {grade.period}{by.vi}; hệ số hiệu quả "
            f"{VI(factor)}, {kept_vi}.",
            en=f"{where.en}: the last known grade, {result.en} of period {grade.period}{by.en}, counts meanwhile; "
            f"performance factor {EN(factor)}, and {kept_en}.",
        )
    assert grade is not None
    result = _result(grade, policy)
    return Text(
        vi=f"Kỳ đánh giá {period}: xếp loại {result.vi}; hệ số hiệu quả {VI(factor)}.",
        en=f"Assessment period {period}: grade {result.en}; performance factor {EN(factor)}.",
    )


def _decided(grade: Grade) -> Text:
    """By which decision a grade was given, where no file was graded."""
    if grade.decision is None:
        return Text(vi="", en="")
    return Text(
        vi=f" theo quyết định {grade.decision} (kỳ đó không có kết quả tính)",
        en=f" by decision {grade.decision} (no result was computed for it)",
    )


def _result(grade: Grade, policy: FundingPolicy) -> Text:
    """A grade's name, and its points where these decide."""
    if not policy.performance.by_score or grade.score is None:
        return grade.name
    points = Fraction(grade.score)
    return Text(vi=f"{grade.name.vi}, {VI(points)} điểm", en=f"{grade.name.en}, {EN(points)} points")


def _waiting(centre: Centre, period: int) -> Text:
    """What an awaited or pending file waits for, and until when."""
    day = None if centre.waits_until is None else _last_day(centre.waits_until)
    if centre.assessment == "awaited":
        until = Text(vi=f" đến hết ngày {VI.day(day)}", en=f" until {EN.day(day)}") if day else Text(vi="", en="")
        return Text(
            vi=f"Hồ sơ đánh giá kỳ {period} còn trong hạn nộp{until.vi}",
            en=f"The assessment of period {period} may still come in time{until.en}",
        )
    until = (
        Text(
            vi=f"; giữ như vậy đến khi khóa sổ kỳ, hết ngày {VI.day(day)}",
            en=f", kept so until the period closes after {EN.day(day)}",
        )
        if day
        else Text(vi="", en="")
    )
    return Text(
        vi=f"Hồ sơ kỳ {period} đang chờ xử lý (bị từ chối, tạm giữ hoặc chưa đủ{until.vi})",
        en=f"The file of period {period} is pending (rejected, held or incomplete{until.en})",
    )


def _last_day(end: datetime) -> date:
    """The last day before an instant, in Viet Nam."""
    return (end.astimezone(HANOI) - timedelta(microseconds=1)).date()


def _equity_step(account: Account, centre: Centre, factors: Factors) -> Step:
    area, rule = AREAS[centre.area_class], account.policy.equity
    what = Text(
        vi=f"Hệ số khu vực ({area.vi}): {VI(factors.equity)}.",
        en=f"Equity factor ({area.en}): {EN(factors.equity)}.",
    )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _size_step(account: Account, centre: Centre, factors: Factors) -> Step:
    rule, product = account.policy.size, [factors.performance, factors.equity, factors.size]
    if centre.months != MONTHS:
        product.append(factors.time)
    what = Text(
        vi=f"Hệ số quy mô (phục vụ {VI(centre.population_served)} người): {VI(factors.size)}. "
        f"Trọng số = {' × '.join(map(VI, product))} = {VI(factors.weight)}.",
        en=f"Size factor ({EN(centre.population_served)} people served): {EN(factors.size)}. "
        f"Weight = {' × '.join(map(EN, product))} = {EN(factors.weight)}.",
    )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _succession_step(account: Account, centre: Centre) -> Step | None:
    since, rule = centre.succession, account.policy.transition
    if centre.lineage is not None:
        return _lineage_step(account, centre, centre.lineage)
    if since is None or not takes_over(centre, account.period + 1, account.policy):
        return None
    if since.parts:
        parts = [_part(part) for part in since.parts] + ([_own(since.own)] if since.own is not None else [])
        parts_vi, parts_en = "; ".join(part.vi for part in parts), "; ".join(part.en for part in parts)
        first, last = since.year, since.year + rule.years - 1
        what = Text(
            vi=f"Kế thừa do sáp nhập hoặc chia tách năm {since.year}: {parts_vi}. Mức bảo "
            f"đảm {VI.percent(rule.protected)} phần kế thừa áp dụng cho các năm {first}–{last}.",
            en=f"Takes over after the merger or split in {since.year}: {parts_en}. "
            f"{EN.percent(rule.protected)} of what was taken over is protected in the years {first}–{last}.",
        )
    else:
        what = Text(
            vi=f"Đã tách một phần sang trung tâm khác năm {since.year}: giữ lại {VI.money(since.own or 0)} của mức hỗ "
            "trợ năm trước đó, theo dân số được phục vụ.",
            en=f"Gave a part of itself to other centres in {since.year}: of the support of the year before "
            f"{EN.money(since.own or 0)} stay its own, by population served.",
        )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _lineage_step(account: Account, centre: Centre, lineage: Lineage) -> Step | None:
    rule, last, before = account.policy.transition, lineage.last, lineage.before
    if before is None and not last.parts and lineage.year <= account.period:
        return None  # it stands alone by now: its own support says everything
    said = [_recorded(last, centre)] if last.known else []
    if before is not None and lineage.since is not None:
        nth, held = account.period + 2 - lineage.since, _recorded(before, centre)
        share = Text(vi=VI.percent(rule.protected), en=EN.percent(rule.protected))
        said.append(
            Text(
                vi=f"năm chuyển tiếp thứ {nth}/{rule.years}: ít nhất {share.vi} phần kế thừa của {held.vi}",
                en=f"year {nth} of {rule.years} of the transition: at least {share.en} of what was taken over of "
                f"{held.en}",
            )
        )
    if not said:
        return None
    what = Text(
        vi=f"Sáp nhập hoặc chia tách năm {lineage.year}: {'; '.join(each.vi for each in said)}.",
        en=f"Merged or split in {lineage.year}: {'; '.join(each.en for each in said)}.",
    )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _recorded(record: Record, centre: Centre) -> Text:
    """What is on record of a year, centre by centre."""
    parts = [_part(part) for part in record.parts] + ([_own(record.own)] if record.own is not None else [])
    total = record.worth()
    return Text(
        vi=f"mức hỗ trợ năm {record.year} là {' + '.join(part.vi for part in parts)} = {VI.money(total)}",
        en=f"the support of {record.year}, {' + '.join(part.en for part in parts)} = {EN.money(total)}",
    )


def _part(part: Part) -> Text:
    whole, amount, name = part.support, part.amount, part.predecessor
    if amount == whole:
        return Text(vi=f"{VI.money(amount)} của {name}", en=f"{EN.money(amount)} of {name}")
    return Text(
        vi=f"{VI(amount)} trong {VI.money(whole)} của {name}, theo dân số được phục vụ",
        en=f"{EN(amount)} of the {EN.money(whole)} of {name}, by population served",
    )


def _own(amount: int) -> Text:
    return Text(vi=f"{VI.money(amount)} của chính trung tâm", en=f"{EN.money(amount)} of its own")


def _bounds_step(account: Account, centre: Centre, stake: Stake, *, baseless: bool) -> Step:
    policy, year = account.policy, account.period
    rule = policy.change
    unprotected = not held(centre, policy)
    base = base_of(centre, year + 1, policy)
    if centre.unknown and policy.unknown is not None:
        named = ", ".join(centre.unknown)
        what = Text(
            vi=f"Chưa có số liệu mức hỗ trợ năm {year} của {named}: chỉ được mức tối thiểu {VI.money(stake.lower)} cho "
            "đến khi có số liệu (0 đồng cũng là số liệu).",
            en=f"The support of {year} of {named} is on nobody's record: the minimum alone, {EN.money(stake.lower)}, "
            "until the figure is there (0 is a figure).",
        )
        return Step(what=what, citation=policy.unknown.citation, provenance=policy.unknown.provenance)
    if baseless:
        return _baseless_step(account, stake, base)
    assert base is not None
    assert stake.upper is not None
    before = _base(account, centre, base)
    what = Text(
        vi=f"{before.vi}; thay đổi từ −{VI.percent(rule.fall)} đến +{VI.percent(rule.rise)}, không dưới mức tối "
        f"thiểu{' (không bảo đảm mức năm trước)' if unprotected else ''}: từ {VI(stake.lower)} đến "
        f"{VI.money(stake.upper)}.",
        en=f"{before.en}; change from −{EN.percent(rule.fall)} to +{EN.percent(rule.rise)}, never below the legal "
        f"minimum{' (last year not protected)' if unprotected else ''}: from {EN(stake.lower)} to "
        f"{EN.money(stake.upper)}.",
    )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _baseless_step(account: Account, stake: Stake, base: Fraction | None) -> Step:
    """That there is nothing to measure a centre against, and what bounds it nevertheless."""
    year, rule = account.period, account.policy.without_base
    ground = rule or account.policy.change
    if account.cap is None:
        cap = Text(vi="không giới hạn mức tăng", en="its rise is not capped")
    else:
        most, lifted = stake.upper or 0, stake.upper != account.cap
        cap = Text(
            vi=f"nhiều nhất {VI.money(most)}, bằng giới hạn cao nhất của các trung tâm có mức so sánh trong tỉnh"
            f"{f' ({VI.money(account.cap)}) hoặc mức tối thiểu' if lifted else ''}",
            en=f"at most {EN.money(most)}, the largest upper bound of the province's centres that have a base"
            f"{f' ({EN.money(account.cap)}) or the minimum' if lifted else ''}",
        )
    if base is None:
        what = Text(
            vi=f"Không có mức hỗ trợ được duyệt của năm {year}: coi là trung tâm mới, {cap.vi}; ít nhất "
            f"{VI.money(stake.lower)}.",
            en=f"No support approved for {year}: treated as a new centre, {cap.en}; at least {EN.money(stake.lower)}.",
        )
    else:
        cap_en = "the rise is not capped" if account.cap is None else cap.en
        what = Text(
            vi=f"Năm {year} không được hỗ trợ và không có mức tối thiểu: {cap.vi}.",
            en=f"No support in {year} and no legal minimum: {cap_en}.",
        )
    return Step(what=what, citation=ground.citation, provenance=ground.provenance)


def _base(account: Account, centre: Centre, base: Fraction) -> Text:
    """What the change is counted from, and how it came about where it is not simply last year's support."""
    year = account.period
    if centre.last_year is None or centre.lineage or takes_over(centre, year + 1, account.policy):
        return Text(vi=f"Mức so sánh với năm {year}: {VI.money(base)}", en=f"Measured against {year}: {EN.money(base)}")
    if base == centre.last_year:
        return Text(
            vi=f"Năm {year} được duyệt {VI.money(centre.last_year)}",
            en=f"{EN.money(centre.last_year)} approved for {year}",
        )
    return Text(
        vi=f"Năm {year} được duyệt {VI.money(centre.last_year)} cho {centre.last_months} tháng, tức {VI.money(base)} "
        f"cho {centre.months} tháng",
        en=f"{EN.money(centre.last_year)} approved for {centre.last_months} months of {year}, that is {EN.money(base)} "
        f"for {centre.months} months",
    )


def _share_step(account: Account, stake: Stake, share: Share) -> Step:
    run, envelope, policy = account.run, account.envelope, account.policy
    theta, level, caps_relaxed = account.theta, account.lambda_, run.case == "above_caps"
    binds = _BINDS[share.binds]
    if run.case == "below_legal_minimum":
        what = Text(
            vi=f"Kinh phí của tỉnh ({VI.money(envelope)}) không đủ chi tổng mức tối thiểu "
            f"({VI.money(run.floors or 0)}): các mức tối thiểu được chia theo cùng tỷ lệ; phần của trung tâm "
            f"{VI.money(share.exact)}.",
            en=f"The province's envelope ({EN.money(envelope)}) cannot pay all legal minima "
            f"({EN.money(run.floors or 0)}): the minima are shared pro rata; this centre's part is "
            f"{EN.money(share.exact)}.",
        )
        return Step(what=what, citation=policy.citation, provenance=policy.provenance)
    if theta is not None and account.norms_relaxed:
        norms = account.norms
        what = Text(
            vi=f"Kinh phí của tỉnh ({VI.money(envelope)}) đủ chi mức tối thiểu theo luật nhưng không đủ mức cao hơn "
            f"của tỉnh: mỗi trung tâm nhận mức tối thiểu và θ = {VI(theta)} phần vượt mức đó, tức "
            f"{VI.money(share.exact)}.",
            en=f"The province's envelope ({EN.money(envelope)}) pays the legal minima but not all of the province's "
            f"own higher norms: each centre gets its legal minimum and θ = {EN(theta)} of the part above it, "
            f"here {EN.money(share.exact)}.",
        )
        return Step(what=what, citation=norms.citation, provenance=norms.provenance)
    if theta is not None:
        what = Text(
            vi=f"Kinh phí của tỉnh ({VI.money(envelope)}) đủ chi mức tối thiểu nhưng không đủ mức bảo đảm "
            f"so với năm trước: mỗi trung tâm nhận mức tối thiểu và θ = {VI(theta)} phần bảo đảm "
            f"vượt mức đó, tức {VI.money(share.exact)}.",
            en=f"The province's envelope ({EN.money(envelope)}) pays the legal minima but not all of the "
            f"protection of last year's support: each centre gets its minimum and θ = {EN(theta)} "
            f"of the protected part above it, here {EN.money(share.exact)}.",
        )
        return Step(what=what, citation=policy.change.citation, provenance=policy.change.provenance)
    if level is not None:
        raw = stake.floor + level * stake.weight
        what = Text(
            vi=f"{'Giới hạn tăng được nới theo chính sách. ' if caps_relaxed else ''}Mức tối thiểu "
            f"+ λ × trọng số, λ = {VI.money(level)}: {VI.money(raw)}; {binds.vi}, được "
            f"{VI.money(share.exact)}.",
            en=f"{'The caps are relaxed by policy. ' if caps_relaxed else ''}Minimum + λ × "
            f"weight, λ = {EN.money(level)}: {EN.money(raw)}; {binds.en}, giving "
            f"{EN.money(share.exact)}.",
        )
        ground = policy.surplus if caps_relaxed else policy
        return Step(what=what, citation=ground.citation, provenance=ground.provenance)
    what = Text(
        vi=f"Kinh phí của tỉnh ({VI.money(envelope)}) vượt tổng các giới hạn: {binds.vi}, được "
        f"{VI.money(share.exact)}; phần còn lại {VI.money(run.reserve)} đưa vào dự phòng.",
        en=f"The province's envelope ({EN.money(envelope)}) is above all bounds together: {binds.en}, giving "
        f"{EN.money(share.exact)}; the remaining {EN.money(run.reserve)} are the reserve.",
    )
    return Step(what=what, citation=policy.surplus.citation, provenance=policy.surplus.provenance)


def _rounding_step(account: Account, share: Share) -> Step:
    rule = account.policy.rounding
    what = Text(
        vi=f"Làm tròn một lần theo phần dư lớn nhất, đơn vị {VI.money(rule.step)}: {VI.money(share.amount)}.",
        en=f"Rounded once by largest remainder, in steps of {EN.money(rule.step)}: {EN.money(share.amount)}.",
    )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)
