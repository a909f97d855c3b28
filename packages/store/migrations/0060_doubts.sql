-- What ambiguous answers lead to: an answer that may be about the token, the message or the credentials fails its
-- delivery. Three in a row withhold a device, and agreement of many people's devices pauses a lane.

-- when a push of that minute was last accepted
alter table bounce_minutes add column accepted_at timestamptz;

alter table provider_minutes add column ambiguous bigint not null default 0;

alter table app_providers
  -- nothing was accepted since then, and ambiguous answers came
  add column doubted_since timestamptz,
  -- the message and the device that led to the pause, and how many people's devices agreed
  add column pause_cause jsonb;

-- The first ambiguous answer about each device since `doubted_since`, a bounded number a lane.
create table doubts (
  app_no     int not null,
  provider   text not null,
  device_no  bigint not null,
  person_no  bigint,
  message_no bigint not null,
  reason     text not null,
  at         timestamptz not null,
  primary key (app_no, provider, device_no)
);
