-- Keys with which the authorization server signs access tokens. Of two processes that make the next one, the sequence lets
-- one win.
CREATE TABLE signing_keys (
    sequence INTEGER PRIMARY KEY,
    -- By which tokens name it: the thumbprint of the public key.
    id TEXT NOT NULL UNIQUE,
    -- A JSON Web Key.
    public TEXT NOT NULL,
    -- PKCS#8, sealed with a key that derives from the secret key of the installation.
    private TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    -- From this moment on it signs; before, it is published only.
    signs_from_ms INTEGER NOT NULL
) STRICT;
