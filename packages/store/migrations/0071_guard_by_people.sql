-- The mass-bounce guard counts people whose tokens were accepted before, and stops retiring alone
-- (docs/decisions/0016).
alter table devices add column was_accepted boolean not null default false;
alter table app_providers add column guard_reason text;

-- People of whom an accepted token was found dead within the last hour; minus a device's number: it had no person.
create table bounced_people (
  app_no     int not null,
  provider   text not null,
  person_key bigint not null,
  at         timestamptz not null default now(),
  primary key (app_no, provider, person_key)
);

-- Lanes that the guard of an older version paused go on; what is in doubt stays so until somebody decides.
update app_providers
set guard_reason = pause_reason, paused_at = null, pause_reason = null
where guarded_since is not null;
