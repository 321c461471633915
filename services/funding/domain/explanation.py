"""Why a centre gets what it gets: the steps of one amount, in Vietnamese and English, each with its ground."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from services.funding.domain.centres import Centre, Factors
from services.funding.domain.sharing import Binds, Share, Solution, Stake
from shared.contracts.base import Step, Text
from shared.contracts.submissions import AreaClass
from shared.rulebook import FundingNorms, FundingPolicy


@dataclass(frozen=True, slots=True)
class Account:
    """What every line of one budget refers to when it explains itself. Money in đồng."""

    period: int
    envelope: int
    floors: int
    solution: Solution
    norms: FundingNorms
    policy: FundingPolicy


def explain(account: Account, centre: Centre, factors: Factors, stake: Stake, share: Share) -> list[Step]:
    """The way from the legal minimum to the amount."""
    return [
        _floor_step(account, centre),
        _performance_step(account, centre, factors),
        _equity_step(account, centre, factors),
        _size_step(account, centre, factors),
        _bounds_step(account, centre, stake),
        _share_step(account, stake, share),
        _rounding_step(account, share),
    ]


_AREAS: Mapping[AreaClass, Text] = {
    "region_1": Text(vi="khu vực I", en="Region I"),
    "region_2": Text(vi="khu vực II", en="Region II"),
    "region_3": Text(vi="khu vực III", en="Region III"),
    "other": Text(vi="ngoài khu vực I, II, III", en="outside Regions I, II, III"),
}
_SEPARATORS = str.maketrans(",.", ".,")
_BINDS: Mapping[Binds, Text] = {
    "floor": Text(vi="mức tối thiểu quyết định", en="the minimum decides"),
    "lower": Text(vi="giới hạn dưới quyết định", en="the lower bound decides"),
    "upper": Text(vi="giới hạn trên quyết định", en="the upper bound decides"),
    "none": Text(vi="nằm trong các giới hạn", en="within its bounds"),
}


def _floor_step(account: Account, centre: Centre) -> Step:
    norm = account.norms.floor(centre.area_class)
    area = _AREAS[centre.area_class]
    if norm.amount:
        what = Text(
            vi=f"Mức hỗ trợ tối thiểu một năm ({area.vi}): {_vi(norm.amount)} đồng.",
            en=f"Legal minimum of support per year ({area.en}): {_en(norm.amount)} đồng.",
        )
    else:
        what = Text(
            vi=f"Xã {area.vi}: không quy định mức hỗ trợ tối thiểu, tỉnh quyết định.",
            en=f"Commune {area.en}: no legal minimum; the province decides.",
        )
    return Step(what=what, citation=norm.citation, provenance=norm.provenance)


def _performance_step(account: Account, centre: Centre, factors: Factors) -> Step:
    rule = account.policy.performance
    return Step(
        what=_performance(centre, account.period, _vi(factors.performance), _en(factors.performance)),
        citation=rule.citation,
        provenance=rule.provenance,
    )


def _performance(centre: Centre, period: int, vi: str, en: str) -> Text:
    """`vi`, `en`: the performance factor as each language writes it."""
    grade = centre.grade
    if centre.assessment == "not_submitted":
        return Text(
            vi=f"Không có hồ sơ đánh giá kỳ {period}: hệ số hiệu quả {vi}, không áp dụng mức bảo đảm so với năm trước.",
            en=f"No assessment was submitted for period {period}: performance factor {en}, and last year's "
            "support is not protected.",
        )
    if grade is None:
        return Text(
            vi=f"Hồ sơ kỳ {period} đang chờ xử lý (bị từ chối, tạm giữ hoặc chưa đủ) và chưa có xếp loại "
            f"của kỳ trước: tạm tính hệ số hiệu quả {vi} như khi chưa nộp, nhưng vẫn giữ mức bảo đảm so với "
            "năm trước.",
            en=f"The file of period {period} is pending (rejected, held or incomplete) and no earlier grade "
            f"is known: performance factor {en} meanwhile, as if nothing was submitted, yet last year's "
            "support stays protected.",
        )
    if centre.assessment == "pending":
        return Text(
            vi=f"Hồ sơ kỳ {period} đang chờ xử lý (bị từ chối, tạm giữ hoặc chưa đủ): tạm tính theo xếp "
            f"loại gần nhất, {grade.name.vi} của kỳ {grade.period}; hệ số hiệu quả {vi}.",
            en=f"The file of period {period} is pending (rejected, held or incomplete): the last known "
            f"grade, {grade.name.en} of period {grade.period}, counts meanwhile; performance factor {en}.",
        )
    return Text(
        vi=f"Kỳ đánh giá {period}: xếp loại {grade.name.vi}; hệ số hiệu quả {vi}.",
        en=f"Assessment period {period}: grade {grade.name.en}; performance factor {en}.",
    )


def _equity_step(account: Account, centre: Centre, factors: Factors) -> Step:
    area, rule = _AREAS[centre.area_class], account.policy.equity
    what = Text(
        vi=f"Hệ số khu vực ({area.vi}): {_vi(factors.equity)}.",
        en=f"Equity factor ({area.en}): {_en(factors.equity)}.",
    )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _size_step(account: Account, centre: Centre, factors: Factors) -> Step:
    rule, product = account.policy.size, (factors.performance, factors.equity, factors.size)
    what = Text(
        vi=f"Hệ số quy mô (phục vụ {_vi(centre.population_served)} người): {_vi(factors.size)}. "
        f"Trọng số = {' × '.join(map(_vi, product))} = {_vi(factors.weight)}.",
        en=f"Size factor ({_en(centre.population_served)} people served): {_en(factors.size)}. "
        f"Weight = {' × '.join(map(_en, product))} = {_en(factors.weight)}.",
    )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _bounds_step(account: Account, centre: Centre, stake: Stake) -> Step:
    rule, year = account.policy.change, account.period
    unprotected = centre.assessment == "not_submitted"
    if centre.last_year is None:
        what = Text(
            vi=f"Không có mức hỗ trợ được duyệt của năm {year}: coi là trung tâm mới, không giới hạn mức "
            f"tăng; ít nhất {_vi(stake.lower)} đồng.",
            en=f"No support approved for {year}: treated as a new centre, its rise is not capped; at least "
            f"{_en(stake.lower)} đồng.",
        )
    elif stake.upper is None:
        what = Text(
            vi=f"Năm {year} không được hỗ trợ và không có mức tối thiểu: không giới hạn mức tăng.",
            en=f"No support in {year} and no legal minimum: the rise is not capped.",
        )
    else:
        what = Text(
            vi=f"Năm {year} được duyệt {_vi(centre.last_year)} đồng; thay đổi từ −{_vi(100 * rule.fall)} % "
            f"đến +{_vi(100 * rule.rise)} %, không dưới mức tối thiểu"
            f"{' (không bảo đảm mức năm trước)' if unprotected else ''}: từ {_vi(stake.lower)} đến "
            f"{_vi(stake.upper)} đồng.",
            en=f"{_en(centre.last_year)} đồng approved for {year}; change from −{_en(100 * rule.fall)} % to "
            f"+{_en(100 * rule.rise)} %, never below the legal minimum"
            f"{' (last year not protected)' if unprotected else ''}: from {_en(stake.lower)} to "
            f"{_en(stake.upper)} đồng.",
        )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _share_step(account: Account, stake: Stake, share: Share) -> Step:
    solution, envelope, policy = account.solution, account.envelope, account.policy
    binds = _BINDS[share.binds]
    if solution.case == "below_legal_minimum":
        what = Text(
            vi=f"Kinh phí của tỉnh ({_vi(envelope)} đồng) không đủ chi tổng mức tối thiểu "
            f"({_vi(account.floors)} đồng): các mức tối thiểu được chia theo cùng tỷ lệ; phần của trung tâm "
            f"{_vi(share.exact)} đồng.",
            en=f"The province's envelope ({_en(envelope)} đồng) cannot pay all legal minima "
            f"({_en(account.floors)} đồng): the minima are shared pro rata; this centre's part is "
            f"{_en(share.exact)} đồng.",
        )
        return Step(what=what, citation=policy.citation, provenance=policy.provenance)
    if solution.theta is not None:
        what = Text(
            vi=f"Kinh phí của tỉnh ({_vi(envelope)} đồng) đủ chi mức tối thiểu nhưng không đủ mức bảo đảm "
            f"so với năm trước: mỗi trung tâm nhận mức tối thiểu và θ = {_vi(solution.theta)} phần bảo đảm "
            f"vượt mức đó, tức {_vi(share.exact)} đồng.",
            en=f"The province's envelope ({_en(envelope)} đồng) pays the legal minima but not all of the "
            f"protection of last year's support: each centre gets its minimum and θ = {_en(solution.theta)} "
            f"of the protected part above it, here {_en(share.exact)} đồng.",
        )
        return Step(what=what, citation=policy.change.citation, provenance=policy.change.provenance)
    if solution.lambda_ is not None:
        raw = stake.floor + solution.lambda_ * stake.weight
        what = Text(
            vi=f"{'Giới hạn tăng được nới theo chính sách. ' if solution.caps_relaxed else ''}Mức tối thiểu "
            f"+ λ × trọng số, λ = {_vi(solution.lambda_)} đồng: {_vi(raw)} đồng; {binds.vi}, được "
            f"{_vi(share.exact)} đồng.",
            en=f"{'The caps are relaxed by policy. ' if solution.caps_relaxed else ''}Minimum + λ × "
            f"weight, λ = {_en(solution.lambda_)} đồng: {_en(raw)} đồng; {binds.en}, giving "
            f"{_en(share.exact)} đồng.",
        )
        ground = policy.surplus if solution.caps_relaxed else policy
        return Step(what=what, citation=ground.citation, provenance=ground.provenance)
    what = Text(
        vi=f"Kinh phí của tỉnh ({_vi(envelope)} đồng) vượt tổng các giới hạn: {binds.vi}, được "
        f"{_vi(share.exact)} đồng; phần còn lại {_vi(solution.reserve)} đồng đưa vào dự phòng.",
        en=f"The province's envelope ({_en(envelope)} đồng) is above all bounds together: {binds.en}, giving "
        f"{_en(share.exact)} đồng; the remaining {_en(solution.reserve)} đồng are the reserve.",
    )
    return Step(what=what, citation=policy.surplus.citation, provenance=policy.surplus.provenance)


def _rounding_step(account: Account, share: Share) -> Step:
    rule = account.policy.rounding
    what = Text(
        vi=f"Làm tròn một lần theo phần dư lớn nhất, đơn vị {_vi(rule.step)} đồng: {_vi(share.amount)} đồng.",
        en=f"Rounded once by largest remainder, in steps of {_en(rule.step)} đồng: {_en(share.amount)} đồng.",
    )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _en(number: Fraction | int) -> str:
    """A number as English writes it: `1,234.5`, exact up to six decimals; a longer one is cut, `33.3333…`."""
    millionths, rest = divmod(number.numerator * 1_000_000, number.denominator)
    whole, decimals = divmod(millionths, 1_000_000)
    if rest:
        return f"{whole:,}.{decimals // 100:04}…"
    return f"{whole:,}.{decimals:06}".rstrip("0").rstrip(".")


def _vi(number: Fraction | int) -> str:
    """The same number as Vietnamese writes it: `1.234,5`."""
    return _en(number).translate(_SEPARATORS)
