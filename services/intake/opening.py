"""The first operators of the ministry: everybody else is entered by two persons, and somebody must be there first.

Whoever may set the service's environment names a file with two persons or more. They are entered together at the start,
while fewer than two operators can act: at the very beginning, or when a directory has locked everybody out. Where two
can act the file counts for nothing, and is better taken away.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import structlog
from pydantic import Field, TypeAdapter, ValidationError

from services.intake.decisions import Unsound, people
from services.intake.problems import of_validation
from services.intake.settings import Settings
from shared.contracts.base import Problem, Text
from shared.contracts.people import FirstOperator
from shared.messaging.decide.commands import Commands
from shared.messaging.operate.topics import province_codes
from shared.outside import OutOfBounds, read_json
from shared.refusals import problem

log = structlog.get_logger()
FILE = TypeAdapter(Annotated[list[FirstOperator], Field(min_length=2, max_length=10)])


def opening(settings: Settings) -> Callable[[Commands], Awaitable[None]]:
    """What intake does with the file at each start: it enters all of them or none, and says which."""

    async def enter(commands: Commands) -> None:
        path = settings.first_operators
        if path is None:
            return
        rules = people.Rules(settings.account_key.get_secret_value().encode(), province_codes())
        try:
            operators = _read(path)
            wanted = people.Opening(operators, rules)
            try:
                await _ordered(commands, wanted)
            except Unsound:  # perhaps another instance entered them between two looks at the directory
                await _ordered(commands, wanted)
        except people.Operated:
            log.info("people.first_operators_not_needed", mend="take LANGHOC_FIRST_OPERATORS and its file away")
        except Unsound as unsound:  # nobody is entered, and whoever acts goes on
            _tell(path, unsound.problems)
        else:
            log.warning("people.first_operators_entered", persons=[one.person_id for one in operators])

    return enter


async def _ordered(commands: Commands, wanted: people.Opening) -> None:
    await commands.order(f"people/first-operators/{uuid.uuid4().hex}", wanted, people.open_directory)


def _read(path: Path) -> list[FirstOperator]:
    """Raises `Unsound`."""
    try:
        return FILE.validate_python(read_json(path.read_text(encoding="utf-8")))
    except OutOfBounds as error:
        raise Unsound(*error.problems) from error
    except ValidationError as error:
        raise Unsound(*(of_validation(each) for each in error.errors(include_url=False))) from error
    except (OSError, ValueError) as error:
        raise Unsound(
            problem(
                "intake.first_operators_file", detail=Text(vi="không mở được hoặc không phải JSON", en=str(error)[:200])
            )
        ) from error


def _tell(path: Path, problems: Sequence[Problem]) -> None:
    for one in problems:
        log.error(
            "people.first_operators_refused",
            file=str(path),
            code=one.code,
            field=one.field,
            message=one.message.en,
            expected=one.expected.en,
            mend=one.mend.en,
        )
