-- The mass-bounce guard (R10): how many tokens were judged and found dead, minute by minute, and
-- what is usual for an app's provider. While `guarded_since` is set no token is retired.

create table bounce_minutes (
  app_no   int not null,
  provider text not null,
  minute   timestamptz not null,
  judged   int not null,
  dead     int not null,
  primary key (app_no, provider, minute)
) with (fillfactor = 50);

alter table app_providers
  -- share of dead verdicts of the last week; null while too few were judged
  add column usual_dead_share real,
  -- verdicts since then are in doubt
  add column guarded_since timestamptz,
  -- an operator said that the verdicts are right: the guard stays quiet until then
  add column bounces_trusted_until timestamptz;
