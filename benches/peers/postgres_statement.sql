-- One reserve for pgbench: check, decrement, version and event in one statement, which is one transaction and one
-- exchange with the server. keys is 1 for the hot SKU.
\set sku random(0, :keys - 1)
WITH taken AS (
    UPDATE level SET qty = qty - 1, version = version + 1 WHERE sku = :sku AND qty >= 1
    RETURNING sku, qty, version
)
INSERT INTO event (kind, sku, qty, after_qty, version) SELECT 'RESERVE', sku, 1, qty, version FROM taken
RETURNING after_qty, version;
