-- The same reserve for pgbench as applications mostly write it: a transaction of statements, each an exchange with the
-- server. keys is 1 for the hot SKU.
\set sku random(0, :keys - 1)
BEGIN;
UPDATE level SET qty = qty - 1, version = version + 1 WHERE sku = :sku AND qty >= 1 RETURNING qty, version \gset
INSERT INTO event (kind, sku, qty, after_qty, version) VALUES ('RESERVE', :sku, 1, :qty, :version);
COMMIT;
