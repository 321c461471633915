"""What scoring does by itself at each start: the rules by which it is about to judge are published first,
and what stands on goals or paths that are new is counted anew."""

from __future__ import annotations

import uuid

from services.scoring.decisions import begin_attainment, release_rules
from shared.messaging.decide.commands import Commands
from shared.rulebook.book import rulebook


async def opening(commands: Commands) -> None:
    """Publish what is new of the rules. Of several processes that start at once, and of a repeat, one does it."""
    rules = rulebook()
    if (await commands.rehearse("rules", rules, release_rules)).events:
        await commands.order(f"rules/{uuid.uuid4().hex}", rules, release_rules)
    await commands.order(f"attainment/{rules.revision}", rules.revision, begin_attainment)
