"""Names of the pipeline's own collections in each service's database; what indexes they have: `operate.preparing`."""

from __future__ import annotations

INBOX = "inbox"
COMMANDS = "commands"
OUTBOX = "outbox"
DEAD_LETTERS = "dead_letters"
DEAD_LETTER_ACTIONS = "dead_letter_actions"
PERSONAL_READS = "personal_reads"
RECALCULATIONS = "recalculations"
SETS = "sets"
SCHEMAS = "schemas"
TOPIC_LIVES = "topic_lives"
