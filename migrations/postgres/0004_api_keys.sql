-- Keys by which programs are known. Of the key itself only the hash is kept.
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- SHA-256 of the whole key, in hexadecimal.
    hash TEXT NOT NULL,
    -- Names of permissions with spaces between them.
    scopes TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT
);
