-- Reports: ids and figures of ours, never a review's text.
CREATE TABLE reports (
    id TEXT PRIMARY KEY NOT NULL,
    -- Whose it is; nobody else reads or lists it.
    owner TEXT NOT NULL,
    title TEXT NOT NULL,
    -- With spaces between them.
    place_ids TEXT NOT NULL,
    -- Which places, whatever their order: to find the owner's last report on the same ones.
    places_key TEXT NOT NULL,
    -- JSON.
    content TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);

CREATE INDEX reports_by_owner ON reports (owner, created_at_ms, id);
CREATE INDEX reports_by_expiry ON reports (expires_at_ms);
