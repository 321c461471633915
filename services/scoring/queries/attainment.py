"""How far goals are reached: queries."""

from __future__ import annotations

from services.scoring.decisions import ATTAINMENTS, AttainmentYear
from services.scoring.domain import attained
from shared.answers.attainment import AttainedGoal, AttainmentView
from shared.mongo import Mongo
from shared.rulebook import cut_off, goals_for
from shared.rulebook.policies import path_policy


async def attainment(mongo: Mongo, key: AttainmentYear) -> AttainmentView:
    """Every goal in force, with its words; unknown where nothing was ever counted."""
    rows = await mongo.find(ATTAINMENTS.name, {"_id": ATTAINMENTS.ref(*key).id})
    told = ATTAINMENTS.read(rows[0]).told if rows else None
    known = {one.goal: one for one in told.goals} if told else {}
    return AttainmentView(
        scope=key.scope,
        period=key.period,
        version=told.version if told else None,
        computed_at=told.computed_at if told else None,
        policy=told.policy if told else path_policy(cut_off(key.period), key.province).id,
        goals=[
            AttainedGoal(
                **dict(known.get(goal.id) or attained(goal, None, None, key.period)),
                metric=goal.metric,
                name=goal.name,
                scheme=goal.scheme,
                year=goal.year,
                value=str(goal.value),
                note=goal.note,
                provenance=goal.provenance,
                citation=goal.citation,
            )
            for goal in goals_for(key.period, key.province)
        ],
    )
