"""Corrections of the register for tests. Decrees and units of 2026 and later in them are invented."""

from __future__ import annotations

from typing import Any

from shared.contracts.register import RegisterCorrected, RegisterCorrection
from tests.unit.delivery_samples import AT

DECREE = {"number": "Nghị quyết 1/2026 (thử nghiệm)", "issued_on": "2026-03-15", "effective_on": "2026-05-01"}


def correction(id: str = "QD-1", **parts: Any) -> RegisterCorrection:
    """A correction with this content."""
    given = {"correction_id": id, "why": "Dữ liệu nhập thiếu", "decree": DECREE, "source": "Công báo (thử nghiệm)"}
    return RegisterCorrection.model_validate(given | parts)


def fact(version: int, correction: RegisterCorrection) -> RegisterCorrected:
    """It as a service hears of it."""
    return RegisterCorrected(version=version, correction=correction, entered_by="an", entered_at=AT)


def unit(code: str = "00999", **changes: Any) -> dict[str, Any]:
    """A commune of Hà Nội that was abolished before the imported list was made."""
    given = {"code": code, "name": "Xã Cũ", "type": "Xã", "province_code": "01", "valid_to": "2024-01-01"}
    return given | changes


def gap_filled(code: str = "00999", **changes: Any) -> RegisterCorrection:
    """The register learns of an abolished commune."""
    decree = {"number": "Nghị quyết 1286/2023 (thử nghiệm)", "issued_on": "2023-11-14", "effective_on": "2024-01-01"}
    return correction(f"GAP-{code}", decree=decree, added=[unit(code, **changes)])


def ward_made() -> RegisterCorrection:
    """In mid-2026 the commune Đông Anh (00454) becomes a ward of the same code: one whole succession."""
    return correction(
        "WARD",
        why="Xã thành phường",
        ended=["00454@2025-07"],
        added=[{"code": "00454", "name": "Phường Đông Anh", "type": "Phường", "province_code": "01",
                "valid_from": "2026-05-01"}],
        successions=[{"predecessor": "00454@2025-07", "successor": "00454@2026-05-01", "share": "whole"}],
    )  # fmt: skip


def split() -> RegisterCorrection:
    """In mid-2026 the ward Ba Đình (00004) is split into two."""
    halves = [
        {"code": code, "name": name, "type": "Phường", "province_code": "01", "valid_from": "2026-05-01"}
        for code, name in (("00004", "Phường Ba Đình Đông"), ("00005", "Phường Ba Đình Tây"))
    ]
    rows = [
        {"predecessor": "00004@2025-07", "successor": f"{code}@2026-05-01", "share": "part", "is_default": default}
        for code, default in (("00004", True), ("00005", False))
    ]
    return correction("SPLIT", why="Chia phường", ended=["00004@2025-07"], added=halves, successions=rows)
