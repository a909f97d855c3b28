-- What operators ask of credentials: whether a provider takes them, or to replace them. The workers do
-- it, since they alone can open credentials and speak with the providers. docs/decisions/0083.

-- When an app's credentials end, as far as somebody has said so.
alter table app_providers add column expires_at timestamptz;

-- The public half of the key that new credentials are locked with on their way to the workers.
create table credential_boxes (
  is_only    boolean primary key default true check (is_only),
  public_key bytea not null,
  updated_at timestamptz not null default now()
);

create table credential_tasks (
  task_no     bigint generated always as identity primary key,
  id          uuid not null unique,
  app_no      int not null references apps,
  provider    text not null check (provider in ('apns', 'fcm')),
  kind        text not null check (kind in ('check', 'replace')),
  -- whoever asked: for the audit log, which says what came of it
  actor       jsonb not null,
  -- of a replacement: what may be shown, when it ends, and the key material, locked; gone once done
  settings    jsonb,
  expires_at  timestamptz,
  boxed       bytea,
  -- of a replacement: to store it also where the provider could not be asked
  is_forced   boolean not null default false,
  asked_at    timestamptz not null default now(),
  taken_at    timestamptz,
  finished_at timestamptz,
  outcome     text check (outcome in ('works', 'refused', 'unreachable', 'replaced')),
  -- by place that was asked: what it said
  findings    jsonb
);
create index credential_tasks_open on credential_tasks (task_no) where finished_at is null;
create index credential_tasks_app on credential_tasks (app_no, provider, task_no);
