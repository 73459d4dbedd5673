-- People who sign in here. Of passwords, links and sessions only hashes are kept.
CREATE TABLE people (
    id TEXT PRIMARY KEY NOT NULL,
    -- In lower case.
    name TEXT NOT NULL UNIQUE,
    -- argon2id in the PHC form; none as long as the person has not chosen a password.
    password_hash TEXT,
    created_at_ms INTEGER NOT NULL
) STRICT;

-- Links by which a password is chosen, once.
CREATE TABLE setup_links (
    -- SHA-256 of the link, in hexadecimal.
    hash TEXT PRIMARY KEY NOT NULL,
    -- None: for the first person of all, whoever that will be.
    person_id TEXT REFERENCES people (id) ON DELETE CASCADE,
    expires_at_ms INTEGER NOT NULL
) STRICT;

-- One link for each, and one for the first person: a new one replaces it, and of two that are made at once one stays.
CREATE UNIQUE INDEX setup_links_by_person ON setup_links ((COALESCE(person_id, '')));
CREATE INDEX setup_links_by_expiry ON setup_links (expires_at_ms);

-- Browsers in which somebody is signed in.
CREATE TABLE sessions (
    -- SHA-256 of the cookie, in hexadecimal.
    hash TEXT PRIMARY KEY NOT NULL,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    created_at_ms INTEGER NOT NULL,
    -- Somewhat earlier than the last visit: not every visit is written down.
    seen_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_by_person ON sessions (person_id);
