-- What processes together spent of limits: half-empty buckets alone, by a hash of whose they are.
-- Unlogged: a crash fills all buckets, which harms nobody. docs/decisions/0064.
create unlogged table rate_buckets (
  bucket uuid primary key,
  per_second float8 not null,
  burst float8 not null,
  level float8 not null,
  at timestamptz not null
) with (fillfactor = 50);
