-- What was spent at Google on each day (US Pacific time), so that a restart does not forget it.
CREATE TABLE spend (
    day TEXT NOT NULL,
    -- A hash of the API key that Google bills.
    credential TEXT NOT NULL,
    -- The process that spent it: each writes its own sum, so that writing twice counts once.
    instance TEXT NOT NULL,
    -- Millionths of a US dollar at list prices.
    micros BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    PRIMARY KEY (day, credential, instance)
);
