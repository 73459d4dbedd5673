-- Clients that registered, or that the operator added. Of a secret only the hash is kept.
CREATE TABLE clients (
    id TEXT PRIMARY KEY NOT NULL,
    -- What it calls itself, cleaned.
    name TEXT NOT NULL,
    -- A JSON list, each exactly as registered.
    redirect_uris TEXT NOT NULL,
    -- none, client_secret_post or client_secret_basic.
    authentication TEXT NOT NULL,
    secret_hash TEXT,
    -- 1 if it may get refresh tokens.
    can_refresh INTEGER NOT NULL,
    -- A hash of all of the above, for clients without a secret: the same registration is the same client.
    digest TEXT UNIQUE,
    -- 1 if the operator made it: it stays until they remove it.
    by_operator INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    -- When somebody last agreed to it, or, to a day, when it last got tokens.
    used_at_ms INTEGER
) STRICT;

CREATE INDEX clients_by_use ON clients (used_at_ms, created_at_ms);

-- Requests of clients that a person has answered, so that each is answered once.
CREATE TABLE decisions (
    request_id TEXT PRIMARY KEY NOT NULL,
    expires_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX decisions_by_expiry ON decisions (expires_at_ms);

-- What a person has granted to a client: first a code, then tokens, which replace each other in this one row.
CREATE TABLE grants (
    id TEXT PRIMARY KEY NOT NULL,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    -- As the client asked for it.
    redirect_uri TEXT NOT NULL,
    -- Names of permissions with spaces between them.
    scopes TEXT NOT NULL,
    can_refresh INTEGER NOT NULL,
    -- 1 if the person was asked, 0 if they had agreed before.
    is_decision INTEGER NOT NULL,
    code_hash TEXT NOT NULL UNIQUE,
    -- RFC 7636, S256.
    challenge TEXT NOT NULL,
    code_expires_at_ms INTEGER NOT NULL,
    -- How often tokens were given; 0 before the code is exchanged.
    generation INTEGER NOT NULL,
    -- Of the refresh token of this generation, and of the one before.
    token_hash TEXT,
    previous_hash TEXT,
    -- The refresh token of this generation, sealed under the one before.
    successor TEXT,
    rotated_at_ms INTEGER,
    -- When a token of this generation was first seen.
    used_at_ms INTEGER,
    -- When the refresh token ends if it is not used.
    idle_until_ms INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    -- When all of it ends.
    expires_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER
) STRICT;

CREATE INDEX grants_by_person ON grants (person_id, client_id);
CREATE INDEX grants_by_client ON grants (client_id);
CREATE INDEX grants_by_expiry ON grants (expires_at_ms);
