-- One row a writing call: claimed before its effect, done with its answer, or released after a failure.
CREATE TABLE idempotency (
    owner TEXT NOT NULL,
    -- A hash of the key that the caller gave, or of the arguments.
    request_key TEXT NOT NULL,
    tool TEXT NOT NULL,
    -- A hash of the arguments: the same key with others is refused.
    fingerprint TEXT NOT NULL,
    -- Names what the call makes, so that whoever takes over makes the same.
    effect_id TEXT NOT NULL,
    -- Grows with every claim: who holds an older one cannot record any more.
    fence BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('claimed', 'released', 'done')),
    lease_until_ms BIGINT NOT NULL,
    -- JSON, when done.
    answer TEXT,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    PRIMARY KEY (owner, request_key)
);

CREATE INDEX idempotency_by_expiry ON idempotency (expires_at_ms);
