-- Numbers and ids. What only we see is a bigint (`…_no`): half the index of a UUID, and deliveries
-- are written by the million. What callers see is their own text or a UUIDv7. docs/decisions/0002.

create table workspaces (
  workspace_no int generated always as identity primary key,
  id           uuid not null unique,
  name         text not null,
  created_at   timestamptz not null default now()
);

create table apps (
  app_no       int generated always as identity primary key,
  id           uuid not null unique,
  workspace_no int not null references workspaces,
  name         text not null,
  created_at   timestamptz not null default now()
);
create index apps_workspace on apps (workspace_no);

-- One row an app and provider: its credentials, and whether its lane is stopped. A paused app is
-- these two columns: work waits in `chunks` until it is resumed or expires.
create table app_providers (
  app_no       int not null references apps,
  provider     text not null check (provider in ('apns', 'fcm')),
  -- what may be shown: topic, team and key id; project id
  settings     jsonb not null,
  -- AES-256-GCM of the key material; nonce, tag and key id inside
  secret       bytea not null,
  version      int not null default 1,
  paused_at    timestamptz,
  pause_reason text,
  updated_at   timestamptz not null default now(),
  primary key (app_no, provider)
);

create table api_keys (
  key_hash     bytea primary key,
  id           uuid not null unique,
  workspace_no int not null references workspaces,
  app_no       int references apps,
  kind         text not null check (kind in ('public', 'secret')),
  name         text not null,
  created_at   timestamptz not null default now(),
  revoked_at   timestamptz
);

create table people (
  person_no     bigint generated always as identity primary key,
  workspace_no  int not null references workspaces,
  id            text collate "C" not null,
  attributes    jsonb not null default '{}',
  suppressed_at timestamptz,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  unique (workspace_no, id),
  -- merges add up: one call is bounded where it is read, their sum here
  constraint people_attributes_size check (pg_column_size(attributes) <= 262144)
) with (fillfactor = 90);

-- One row a token, kept as a tombstone once deleted (`deleted_at`; token and attributes gone), so
-- that a late arrival finds out that it is late (R1). No index on a column that a delivery writes:
-- the write-back stays a HOT update.
create table devices (
  -- no foreign key: each insert would lock the row of its app, and all do so at once (a quarter of
  -- an insert's cost). Callers take app_no from `apps`, where nothing is ever deleted.
  app_no          int not null,
  device_no       bigint generated always as identity,
  -- the first 128 bits of SHA-256 of the token: a short fixed-width index whatever the token's length
  token_hash      uuid not null,
  token           text,
  platform        text not null check (platform in ('ios', 'android')),
  provider        text not null check (provider in ('apns', 'fcm')),
  environment     text check (environment in ('production', 'sandbox')),
  person_no       bigint references people,
  installation_id text,
  attributes      jsonb not null default '{}',
  -- the permission as the client reports it; `dead_at` is ours. Both read back as push_enabled.
  push_permission boolean not null default true,
  last_used       bigint not null,
  created_at      timestamptz not null default now(),
  -- R2: a verdict binds the registration it was about; each registration counts `epoch` up
  epoch           int not null default 1,
  registered_at   timestamptz not null,
  -- R1: the client's time of the newest registration, move or deletion
  ordered_at      timestamptz not null,
  last_status     text not null default '' check (last_status in ('', 'sent', 'bounced', 'suppressed')),
  -- R3: when the outcome behind last_status was observed
  status_at       timestamptz,
  failures        smallint not null default 0,
  dead_at         timestamptz,
  dead_reason     text,
  deleted_at      timestamptz,
  primary key (app_no, device_no),
  constraint devices_attributes_size check (pg_column_size(attributes) <= 262144)
) with (fillfactor = 80);
create unique index devices_token on devices (app_no, token_hash);
create index devices_person on devices (person_no) where person_no is not null;
create unique index devices_installation on devices (app_no, installation_id)
  where installation_id is not null and deleted_at is null;

-- The token's timeline: every transition, so that it can be explained and undone.
create table device_events (
  device_no bigint not null,
  at        timestamptz not null default clock_timestamp(),
  kind      text not null,
  person_no bigint,
  detail    jsonb
) partition by range (at);
create index device_events_device on device_events (device_no, at);
create table device_events_default partition of device_events default;

-- Message numbers are time in their upper bits (milliseconds, then 20 bits of a sequence), so that
-- deliveries can be partitioned by day on the leading column of their key.
create sequence message_seq;
create function message_no_at(at timestamptz) returns bigint language sql stable
  return (extract(epoch from at) * 1000)::bigint << 20;
create function next_message_no() returns bigint language sql volatile
  return message_no_at(clock_timestamp()) | (nextval('message_seq') & 1048575);

create table messages (
  message_no   bigint primary key default next_message_no(),
  id           uuid not null unique,
  workspace_no int not null references workspaces,
  -- null: every app of the workspace
  app_no       int references apps,
  audience     jsonb not null,
  content      jsonb not null,
  priority     text not null check (priority in ('high', 'normal')),
  collapse_id  text not null,
  on_unknown   text not null check (on_unknown in ('retry', 'give_up')),
  ttl_seconds  int not null,
  lane         text not null check (lane in ('transactional', 'bulk')),
  created_at   timestamptz not null default now(),
  expires_at   timestamptz not null,
  planned_at   timestamptz
);
create index messages_workspace on messages (workspace_no, message_no);
create index messages_unplanned on messages (created_at) where planned_at is null;

-- Apart from `messages`, so that counting rewrites 80 bytes and not the content. R4: pending is
-- recipients less the others.
create table message_counts (
  message_no  bigint primary key references messages,
  recipients  bigint not null default 0,
  sent        bigint not null default 0,
  bounced     bigint not null default 0,
  suppressed  bigint not null default 0,
  failed      bigint not null default 0,
  expired     bigint not null default 0,
  -- how far the planner has come: the last app and device, or the last entry of a list
  plan_cursor jsonb,
  -- the last settled delivery, while counts still change
  settled_at  timestamptz
) with (fillfactor = 50);

create table idempotency_keys (
  workspace_no int not null references workspaces,
  key          text collate "C" not null,
  body_hash    bytea not null,
  message_id   uuid not null,
  created_at   timestamptz not null default now(),
  primary key (workspace_no, key)
);
create index idempotency_keys_created on idempotency_keys (created_at);

-- The unit of work: up to 500 recipients of one message, one app, one provider. `claimed` counts
-- the recipients whose sending has begun: those without a delivery under a lease that ran out are
-- unknown outcomes (R5), those behind it were never tried.
create table chunks (
  chunk_no    bigint generated always as identity primary key,
  message_no  bigint not null,
  app_no      int not null,
  provider    text not null,
  lane        text not null,
  device_nos  bigint[] not null,
  -- whom each device belonged to when the message was planned: R6 compares
  person_nos  bigint[] not null,
  size        int not null,
  claimed     int not null default 0,
  settled     int not null default 0,
  -- a chunk made of deliveries that are tried again
  is_retry    boolean not null default false,
  state       text not null default 'ready' check (state in ('ready', 'leased', 'done')),
  lease       uuid,
  leases      int not null default 0,
  due_at      timestamptz not null default now(),
  -- when the reconciler looks at it: a leased chunk's end of lease, else a while after it was rung
  rescue_at   timestamptz not null
) with (fillfactor = 70);
create index chunks_message on chunks (message_no);
create index chunks_rescue on chunks (rescue_at) where state <> 'done';

-- Doorbells: what the relay has to ring. A row goes once its job is in the queue.
create table outbox (
  outbox_no  bigint generated always as identity primary key,
  -- the queue's name
  queue      text not null,
  -- the message to plan or the chunk to deliver
  ref        bigint not null,
  -- tells one ring from the next: the queue ignores a job id that it still holds
  ring       int not null default 0,
  due_at     timestamptz not null default now()
);
create index outbox_due on outbox (due_at, outbox_no);

-- A delivery is written with its outcome; `pending` where it is tried again. Statuses are numbers
-- here (packages/store/src/delivery-codes.ts). No foreign keys: a million rows a broadcast.
create table deliveries (
  message_no bigint not null,
  device_no  bigint not null,
  person_no  bigint,
  at         timestamptz not null,
  status     smallint not null,
  attempts   smallint not null,
  reason     text,
  primary key (message_no, device_no)
) partition by range (message_no);
create index deliveries_person on deliveries (person_no, message_no) where person_no is not null;
create table deliveries_default partition of deliveries default;
