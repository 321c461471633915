"""Prometheus metrics of the delivery pipeline; the same names in every service."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("langhoc_records", "Records by verdict", ["consumer", "verdict"])
BATCH_RECORDS = Histogram(
    "langhoc_batch_records", "Records per transaction", buckets=(1, 3, 10, 30, 100, 300, 1_000, 3_000)
)
DEAD = Counter("langhoc_dead_letters", "Dead letters by reason", ["consumer", "reason"])
DEAD_OPEN = Gauge("langhoc_dead_letters_open", "Dead letters that wait for a person", ["consumer"])
DEAD_WAITING = Gauge("langhoc_dead_letters_waiting", "Those that wait for a release that knows them", ["consumer"])
TOKENS_REFUSED = Counter("langhoc_tokens_refused", "Bearer tokens that were not taken, by the refusal", ["code"])
KEYS_AGE = Gauge("langhoc_issuer_keys_age_seconds", "Since when the issuer of tokens has not told its keys")
RETRIES = Counter("langhoc_retries", "Batches decided or committed again, or put off, by cause", ["consumer", "cause"])
OUTBOX_SENT = Counter("langhoc_outbox_sent", "Events confirmed by the broker")
OUTBOX_FAILED = Counter("langhoc_outbox_failed", "Sends without confirmation, to be repeated")
OUTBOX_ROWS = Gauge("langhoc_outbox_rows", "Events not yet confirmed by the broker")
OUTBOX_AGE = Gauge("langhoc_outbox_oldest_seconds", "Age of the oldest unsent event")
FETCH_TROUBLES = Counter("langhoc_fetch_troubles", "Partitions put off because they could not be read", ["topic"])
OUTBOX_REFUSED = Gauge("langhoc_outbox_refused", "Topics and slots whose first event the broker refuses for good")
PRODUCERS = Counter("langhoc_producers_renewed", "Producers made anew after a send that failed")
HOST_CLOCK = Gauge("langhoc_host_clock_ahead_seconds", "By how much the host's clock is ahead of the database's")
CONNECTIONS_ENDED = Counter("langhoc_connections_ended", "HTTP connections that were given up, by cause", ["why"])
LAG = Gauge("langhoc_lag_records", "Records not yet consumed", ["consumer"])
BRAKES = Gauge("langhoc_brakes", "Topics whose consumption is stopped by the brake", ["consumer"])
RECALCULATIONS = Counter("langhoc_recalculations", "Results over sets, by verdict", ["verdict"])
RECALCULATIONS.labels("failed")  # there from the start, else its first increase is none
RECALCULATIONS_OPEN = Gauge("langhoc_recalculations_open", "Requests to recompute a result that are due")
RECALCULATIONS_PARKED = Gauge(
    "langhoc_recalculations_parked", "Sets that could not be computed or stored the last time"
)
ALTERED = Gauge("langhoc_documents_altered", "Documents that do not say what their service wrote, as this process met")
PUT_OFF = Gauge("langhoc_partitions_put_off", "Partitions that wait alone", ["consumer"])
LET_GO = Counter("langhoc_let_go", "Documents deleted or lightened by the retention policy", ["service", "rule"])
