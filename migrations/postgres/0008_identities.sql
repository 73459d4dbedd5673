-- Accounts of a provider outside by which people sign in.
CREATE TABLE identities (
    -- The provider, as in `iss`.
    issuer TEXT NOT NULL,
    -- Its name of the account, which it gives to nobody else (`sub`).
    subject TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE INDEX identities_by_person ON identities (person_id);
