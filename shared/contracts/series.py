"""Of whom each series of assessments is: the one table by which a submission is checked, counted, named and filled in.

A new series is its name in `AssessmentSeries`, one line here, and its rubrics. One that no rubric judges in a period is
known by its name and nothing else: its files are refused with the rules that there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from shared.contracts.base import Text
from shared.contracts.submissions import AssessmentSeries

SubjectKind = Literal[
    "commune", "centre", "district", "province", "learning_unit", "vocational_centre", "centre_merger"
]
"""Who is assessed. The last three stand in no register: their ids are the province's own."""
OWN_IDS = frozenset[SubjectKind]({"learning_unit", "vocational_centre", "centre_merger"})
"""Subjects whose ids belong to the province that named them first."""


class About(NamedTuple):
    """What is known of a series besides its rules."""

    kind: SubjectKind
    name: Text
    """What is filed, in the plural and within a sentence."""
    file: Text
    """One of it, at the beginning of a sentence."""


def _assessed(kind: SubjectKind, vi: str, en: str, of: str) -> About:
    return About(
        kind,
        Text(vi=f"đánh giá {vi}", en=f"assessments of {en}"),
        Text(vi=f"Hồ sơ đánh giá {vi}", en=f"The assessment of {of}"),
    )


def _reported(kind: SubjectKind, vi: str, en: str) -> About:
    return About(
        kind, Text(vi=f"báo cáo {vi}", en=f"reports on {en}"), Text(vi=f"Báo cáo {vi}", en=f"The report on {en}")
    )


SERIES: Mapping[AssessmentSeries, About] = {
    "district": _assessed("district", "cộng đồng học tập cấp huyện", "districts", "a district"),
    "province": _assessed("province", "cộng đồng học tập cấp tỉnh", "provinces", "a province"),
    "learning_unit": _assessed("learning_unit", "đơn vị học tập", "learning units", "a learning unit"),
    "universal_education": _assessed(
        "commune",
        "phổ cập giáo dục, xóa mù chữ",
        "universal education and literacy",
        "universal education and literacy",
    ),
    "learning_models": _assessed("commune", "các mô hình học tập", "learning models", "learning models"),
    "provincial_plan": _reported("province", "kế hoạch thực hiện đề án của tỉnh", "the province's plan of the scheme"),
    "scheme_progress": _reported("province", "kết quả thực hiện đề án", "the progress of the scheme"),
    "province_committee": _reported("province", "ban chỉ đạo cấp tỉnh", "the steering committee of the province"),
    "commune_committee": _reported("commune", "ban chỉ đạo cấp xã", "the steering committee of the commune"),
    "inspections": _reported("province", "kiểm tra, giám sát", "inspections"),
    "officials_learning": _reported(
        "province", "học tập của cán bộ, công chức, viên chức", "the learning of officials and public employees"
    ),
    "workers_learning": _reported("province", "học tập của người lao động", "the learning of workers"),
    "reading_culture": _reported("province", "phát triển văn hóa đọc", "reading culture"),
    "lifelong_week": _reported("province", "tuần lễ học tập suốt đời", "Lifelong Learning Week"),
    "centre_activity": _reported(
        "centre", "hoạt động của trung tâm học tập cộng đồng", "the activity of a community learning centre"
    ),
    "vocational_centre": _reported(
        "vocational_centre",
        "trung tâm giáo dục nghề nghiệp - giáo dục thường xuyên",
        "a centre of vocational and continuing education",
    ),
    "centre_merger": _reported(
        "centre_merger", "sáp nhập trung tâm công lập cấp huyện", "mergers of public district centres"
    ),
    "streaming": _reported("province", "phân luồng học sinh sau trung học cơ sở", "streaming after lower secondary"),
}
"""By name."""


_KINDS: Mapping[str, SubjectKind] = {
    "commune": "commune",
    "centre": "centre",
    **{series: about.kind for series, about in SERIES.items()},
}


def kind_of(series: str) -> SubjectKind | None:
    """Of whom a series is; `None`: it is no series, or one whose subjects are never submitted."""
    return _KINDS.get(series)


def series_of(kind: SubjectKind) -> tuple[str, ...]:
    """All series of a kind of subject, a commune's or centre's own among them, in the order of the table."""
    return tuple(series for series, of in _KINDS.items() if of == kind)
