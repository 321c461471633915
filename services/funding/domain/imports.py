"""That an amount rests on what the ministry took in as history, in words."""

from __future__ import annotations

from shared.contracts.base import Provenance, Step, Text
from shared.contracts.facts import Basis


def imported_step(basis: Basis) -> Step | None:
    """Whose support of which year, and the file of which period, came by which import; `None`: no such figure."""
    told = [
        Text(
            vi=f"mức hỗ trợ năm {one.year} của {one.centre_id} (đợt {one.import_id})",
            en=f"the support of {one.centre_id} for {one.year} ({one.import_id})",
        )
        for one in basis.imported
    ]
    if basis.graded is not None and basis.graded.imported is not None:
        period, name = basis.graded.period, basis.graded.imported
        what = Text(vi="hồ sơ đánh giá", en="the assessment")
        if (number := basis.graded.decision_number) is not None:
            what = Text(vi=f"quyết định {number} về xếp loại", en=f"decision {number} on the grade")
        told.append(Text(vi=f"{what.vi} kỳ {period} (đợt {name})", en=f"{what.en} of {period} ({name})"))
    if not told:
        return None
    what = Text(
        vi=f"Do Bộ nhập từ hồ sơ lịch sử, tỉnh không gửi qua hệ thống: {'; '.join(one.vi for one in told)}.",
        en=f"Imported by the ministry from history, not sent here by a province: {'; '.join(one.en for one in told)}.",
    )
    citation = ", ".join(sorted({one.decision_number for one in basis.imported if one.decision_number}))
    return Step(what=what, citation=citation, provenance=Provenance.PARTLY)
