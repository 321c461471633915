"""Answers of intake: which communes have another number of centres than one."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel


class CentreThere(BaseModel):
    """A registered centre that was there on the day."""

    centre_id: str
    name: str
    suspended: bool


class CommuneCentres(BaseModel):
    """A commune with no centre, or with several; a suspended centre is there."""

    code: str
    name: str
    centres: list[CentreThere]


class ProvinceCentres(BaseModel):
    """One centre in each commune? By the register as it stands, of one day."""

    province: str
    """Today's, which speaks for the communes."""
    on: date
    communes: int
    with_one: int
    with_none: int
    with_several: int
    others: list[CommuneCentres]
    """Communes with none, or with several."""
    unplaced: list[CentreThere]
    """Centres of which the register does not tell in which commune they lay on the day."""
