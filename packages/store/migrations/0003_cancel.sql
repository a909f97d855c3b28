-- A cancelled message: what has not left by then is withheld at the next look at its devices.
alter table messages add column cancelled_at timestamptz;
