-- What the console draws: sums by minute and by message, kept beside the ledger and off the send
-- path. Workers gather them in memory and add them every few seconds; a worker that is killed takes
-- the last of them along. What must be exact is counted in message_counts. docs/decisions/0082.

-- Deliveries by their final status, and calls of providers by what their answers meant.
create table provider_minutes (
  app_no          int not null,
  provider        text not null,
  minute          timestamptz not null,
  sent            bigint not null default 0,
  bounced         bigint not null default 0,
  suppressed      bigint not null default 0,
  failed          bigint not null default 0,
  expired         bigint not null default 0,
  accepted        bigint not null default 0,
  token_dead      bigint not null default 0,
  message_refused bigint not null default 0,
  misconfigured   bigint not null default 0,
  throttled       bigint not null default 0,
  unavailable     bigint not null default 0,
  -- calls by how long their answer took; the bounds are `latencyBoundsMs` of the domain
  latency         bigint[] not null,
  -- the provider's last words when it did not serve: throttled, unavailable, or a fault of ours
  trouble         text,
  primary key (app_no, provider, minute)
) with (fillfactor = 50);
create index provider_minutes_minute on provider_minutes (minute);

-- A broadcast's deliveries by ten seconds, and by why they were not sent. Short messages have none:
-- their deliveries are few enough to be counted.
create table message_progress (
  message_no bigint not null,
  at         timestamptz not null,
  sent       bigint not null,
  bounced    bigint not null,
  suppressed bigint not null,
  failed     bigint not null,
  expired    bigint not null,
  primary key (message_no, at)
) with (fillfactor = 50);
create table message_reasons (
  message_no bigint not null,
  status     smallint not null,
  reason     text not null,
  deliveries bigint not null,
  primary key (message_no, status, reason)
) with (fillfactor = 50);

-- Recipients of the messages that were accepted within a minute, by workspace and app (0: all of
-- them). Counted from the messages; the last minutes again and again, as broadcasts are planned.
create table accepted_minutes (
  workspace_no int not null,
  app_no       int not null,
  minute       timestamptz not null,
  messages     bigint not null,
  recipients   bigint not null,
  primary key (workspace_no, app_no, minute)
) with (fillfactor = 50);
create index accepted_minutes_minute on accepted_minutes (minute);

-- One row a process of workers: that it lives, and which of its breakers are open.
create table worker_reports (
  worker     uuid primary key,
  started_at timestamptz not null,
  seen_at    timestamptz not null,
  breakers   jsonb not null
) with (fillfactor = 50);

-- Devices by what stands against a push; counted now and then, of large tables by sample.
create table device_counts (
  app_no        int not null,
  platform      text not null,
  environment   text not null,
  reachable     bigint not null,
  suppressed    bigint not null,
  dead          bigint not null,
  push_disabled bigint not null,
  failing       bigint not null,
  primary key (app_no, platform, environment)
);
create table device_counts_state (
  is_only     boolean primary key default true check (is_only),
  counted_at  timestamptz not null,
  took_ms     int not null,
  is_estimate boolean not null
);

-- Suppressed people are few; counting devices looks them up.
create index people_suppressed on people (person_no) where suppressed_at is not null;

-- Broadcasts stand between any number of one-person messages.
create index messages_bulk on messages (workspace_no, message_no) where lane = 'bulk';
