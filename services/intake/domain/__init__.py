"""Pure decisions of intake: what is wrong with a submission, what becomes of it, and what the register becomes.

`check_*` looks at one submission against law, register and rights; `decide` settles identity and version against what
was accepted before; `check_correction` judges a correction of the register, `check_reopening` an order about a period;
`meant` says whom a search means; `doubts` what is hardly true of what was accepted.
"""

from services.intake.domain.checking import (
    centre_holder,
    check_assessment,
    check_centre,
    check_commune,
    check_envelope,
    check_payment,
    check_recognition,
    check_registration,
    check_revocation,
    check_support,
    check_withdrawal,
    named,
)
from services.intake.domain.code_systems import in_codes_of_its_day
from services.intake.domain.deciding import Current, Taken, Verdict, decide
from services.intake.domain.findings import Arrival, Awaited, Findings, Known, Subject
from services.intake.domain.forgetting import check_forgettable, forgotten
from services.intake.domain.late_requests import check_answer, check_asked, check_undecided, refused_for_closing
from services.intake.domain.life import life_of
from services.intake.domain.lifetimes import awaited_of, left_outside, years_changed
from services.intake.domain.one_centre import centres_of_communes
from services.intake.domain.people import (
    FEWEST_OPERATORS,
    ORDERS,
    Directory,
    Given,
    check_person,
    deed_of,
    entered,
    operates,
)
from services.intake.domain.periods import check_reopening, closable, closed_problem, is_covered
from services.intake.domain.plausible import doubts, earlier, standing_doubts
from services.intake.domain.register import check_correction, resolves
from services.intake.domain.searching import MOST_MEANT, Meant, filed_as, kept_under, meant
from services.intake.domain.titles import check_title, check_title_revoked, titled
from services.intake.domain.units import Named

__all__ = [
    "FEWEST_OPERATORS",
    "MOST_MEANT",
    "ORDERS",
    "Arrival",
    "Awaited",
    "Current",
    "Directory",
    "Findings",
    "Given",
    "Known",
    "Meant",
    "Named",
    "Subject",
    "Taken",
    "Verdict",
    "awaited_of",
    "centre_holder",
    "centres_of_communes",
    "check_answer",
    "check_asked",
    "check_assessment",
    "check_centre",
    "check_commune",
    "check_correction",
    "check_envelope",
    "check_forgettable",
    "check_payment",
    "check_person",
    "check_recognition",
    "check_registration",
    "check_reopening",
    "check_revocation",
    "check_support",
    "check_title",
    "check_title_revoked",
    "check_undecided",
    "check_withdrawal",
    "closable",
    "closed_problem",
    "decide",
    "deed_of",
    "doubts",
    "earlier",
    "entered",
    "filed_as",
    "forgotten",
    "in_codes_of_its_day",
    "is_covered",
    "kept_under",
    "left_outside",
    "life_of",
    "meant",
    "named",
    "operates",
    "refused_for_closing",
    "resolves",
    "standing_doubts",
    "titled",
    "years_changed",
]
