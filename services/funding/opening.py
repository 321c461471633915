"""What funding does by itself at each start: where the rules are other ones than before, its proposals follow."""

from __future__ import annotations

import uuid

from services.funding.decisions import go_by
from shared.messaging.decide.commands import Commands
from shared.rulebook.decided import state_of
from shared.rulebook.overlays import folders


async def opening(commands: Commands) -> None:
    """Go by the rules in use. Of several processes that start at once, and of a repeat, one does it."""
    state = state_of(folders())
    if (await commands.rehearse("rules", state, go_by)).puts:
        await commands.order(f"rules/{uuid.uuid4().hex}", state, go_by)
