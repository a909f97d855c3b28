-- What erasing a person leaves to do once their rows are gone: messages name them, and hold what was written
-- to them. Workers do it in slices; what is to do is written down in the transaction that erases, so that no
-- crash loses it. It holds hashes, not names. docs/decisions/0073.
create table erasures (
  erasure_no     bigint generated always as identity primary key,
  -- stands in the place of the person's names
  id             uuid not null default gen_random_uuid(),
  workspace_no   int not null,
  -- the number they had, which belongs to no one any more; null: they were not known
  person_no      bigint,
  -- name_hash of their id; of each of their tokens, token_hash
  person_hash    uuid not null,
  token_hashes   uuid[] not null,
  -- their devices, side by side with the apps of these
  app_nos        int[] not null,
  device_nos     bigint[] not null,
  -- of a person who got another id, or was merged: the id by which messages name them from now on
  into_id        text collate "C",
  -- no message accepted later is about them
  asked_at       timestamptz not null default clock_timestamp(),
  due_at         timestamptz not null default clock_timestamp(),
  round          smallint not null default 1,
  -- the step at hand, and the message up to which it is done
  step           text not null default 'deliveries' check (step in ('deliveries', 'messages')),
  message_cursor bigint not null default 0,
  finished_at    timestamptz
);
create index erasures_open on erasures (workspace_no, erasure_no) where finished_at is null;
create index erasures_finished on erasures (finished_at) where finished_at is not null;

-- Devices that were a person's and are not: their messages may name such a token, their erasing takes it along.
create table former_devices (
  person_no bigint not null,
  app_no    int not null,
  device_no bigint not null,
  at        timestamptz not null default clock_timestamp(),
  primary key (person_no, device_no)
);
create index former_devices_device on former_devices (device_no);
create index former_devices_at on former_devices (at);

-- Whichever statement unties, moves or deletes a device.
create function keep_former_device() returns trigger language plpgsql security definer as $$
begin
  insert into former_devices as f (person_no, app_no, device_no)
  values (old.person_no, old.app_no, old.device_no)
  on conflict (person_no, device_no) do update set at = excluded.at;
  return null;
end $$;
do $$ begin
  execute format('alter function keep_former_device() set search_path = %I, pg_temp', current_schema());
end $$;
create trigger devices_left after update of person_no on devices for each row
  when (old.person_no is not null and new.person_no is distinct from old.person_no)
  execute function keep_former_device();

-- The first 128 bits of SHA-256.
create function name_hash(name text) returns uuid language sql immutable
  return encode(substring(sha256(convert_to(name, 'UTF8')) for 16), 'hex')::uuid;
