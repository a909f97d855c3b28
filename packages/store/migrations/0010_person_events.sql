-- What people do: events of identified people, and of phones where nobody is identified yet. By the
-- month in which they arrived, so that retention drops a partition, whatever a client says of when
-- they happened. docs/decisions/0040.
create sequence person_event_seq;
create table person_events (
  event_no     bigint not null default nextval('person_event_seq'),
  -- whoever was identified when it happened; null: nobody yet. No foreign key: who writes locks the
  -- person, who deletes a person deletes their events.
  person_no    bigint,
  -- when it happened, as the client says, and never later than it arrived
  at           timestamptz not null,
  received_at  timestamptz not null default now(),
  workspace_no int not null,
  type         text not null check (type in ('event', 'page', 'screen', 'group')),
  name         text not null,
  anonymous_id text collate "C",
  -- the client's id of the call
  message_id   text,
  properties   jsonb not null
) partition by range (received_at);
create index person_events_person on person_events (person_no, at desc, event_no desc)
  where person_no is not null;
-- what waits for somebody to be identified
create index person_events_anonymous on person_events (workspace_no, anonymous_id)
  where person_no is null;
create table person_events_default partition of person_events default;

-- A phone's id while nobody is identified on it, and whose it turned out to be: the first person
-- identified under it, for good, so that it never joins two people. One row a phone and login.
create table anonymous_ids (
  workspace_no int not null,
  anonymous_id text collate "C" not null,
  person_no    bigint,
  -- what was said of the nobody, until somebody takes it over
  attributes   jsonb not null default '{}',
  -- a date, so that the index changes once a day
  seen_on      date not null default current_date,
  primary key (workspace_no, anonymous_id),
  constraint anonymous_ids_attributes_size check (pg_column_size(attributes) <= 262144)
) with (fillfactor = 80);
create index anonymous_ids_person on anonymous_ids (person_no) where person_no is not null;
create index anonymous_ids_seen on anonymous_ids (seen_on);

-- Ids of calls that were honoured: one that comes again, because its answer was lost, changes nothing.
-- The first 128 bits of SHA-256 of the id, by week; this one and the one before are kept.
create table client_messages (
  workspace_no int not null,
  message_hash uuid not null,
  week         date not null,
  primary key (workspace_no, message_hash, week)
) partition by range (week);
create table client_messages_default partition of client_messages default;

-- Erased, and calls about them are ignored until they are unsuppressed.
alter table people add column blocked_at timestamptz;
