-- How often in a row a lease of a chunk ran out without one more outcome on record: such a chunk fails the
-- workers that take it, and is given up (docs/decisions/0033).
alter table chunks
  add column stranded smallint not null default 0,
  -- outcomes on record when its last lease ran out
  add column stranded_settled int not null default 0;
