-- The stock and its events, as plainly as PostgreSQL allows. Made anew for each measure.
DROP TABLE IF EXISTS level, event;
CREATE TABLE level (
    sku     integer PRIMARY KEY,
    qty     bigint  NOT NULL CHECK (qty >= 0),
    version bigint  NOT NULL
);
CREATE TABLE event (
    sequence  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT now(),
    kind      text    NOT NULL,
    sku       integer NOT NULL,
    qty       bigint  NOT NULL,
    after_qty bigint  NOT NULL,
    version   bigint  NOT NULL
);
INSERT INTO level SELECT sku, :stock, 1 FROM generate_series(0, :skus - 1) AS sku;
VACUUM ANALYZE level;
CHECKPOINT;
