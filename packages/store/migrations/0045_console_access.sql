-- Who may do what in the console, who is signed in, and who did what.

-- Roles of secret keys. Those that are there may do over the API what they could before, which is
-- `operate`: keys and credentials have been the command's business alone. docs/decisions/0080.
alter table api_keys add column role text check (role in ('read', 'operate', 'admin'));
update api_keys set role = 'operate' where kind = 'secret';
alter table api_keys add constraint api_keys_role check ((role is not null) = (kind = 'secret'));
create index api_keys_workspace on api_keys (workspace_no, created_at);

-- A browser that has signed in with a secret key. The cookie is 256 random bits, of which the hash
-- is here; a session lasts no longer than its key.
create table console_sessions (
  session_hash bytea primary key,
  key_id       uuid not null references api_keys (id),
  created_at   timestamptz not null default now(),
  used_at      timestamptz not null default now(),
  expires_at   timestamptz not null
);
create index console_sessions_key on console_sessions (key_id, created_at);
create index console_sessions_expiry on console_sessions (expires_at);

-- What operators did. Each row holds the hash of the one before it in its workspace, so that a row
-- that was changed or taken out shows. Numbers, hashes and times are the trigger's: no insert can
-- choose them, and rows are neither changed nor deleted.
create table audit_log (
  -- no foreign key: the log outlives what it tells of
  workspace_no  int not null,
  entry_no      bigint not null,
  at            timestamptz not null,
  -- the key that acted, with its name and role at that time; null: the pushkeep command
  key_id        uuid,
  key_name      text,
  role          text,
  action        text not null,
  -- the app that it is about, if it is about one
  app_no        int,
  -- what it was done on, by its id; a person by number, so that erasing them leaves nothing here
  target_kind   text not null check (target_kind in
    ('workspace', 'app', 'key', 'message', 'person', 'queue')),
  target        text not null,
  detail        jsonb not null,
  previous_hash bytea not null,
  hash          bytea not null,
  primary key (workspace_no, entry_no)
);
create index audit_log_app on audit_log (app_no, entry_no) where app_no is not null;

create function audit_hash(entry audit_log) returns bytea language sql immutable
  return sha256(entry.previous_hash || convert_to(jsonb_build_array(
    entry.workspace_no, entry.entry_no, (extract(epoch from entry.at) * 1000000)::bigint,
    entry.key_id, entry.key_name, entry.role, entry.action, entry.app_no, entry.target_kind,
    entry.target, entry.detail)::text, 'UTF8'));

create function chain_audit_entry() returns trigger language plpgsql as $$
declare
  last audit_log;
begin
  -- One writer a workspace at a time; each statement here sees what the one before it committed.
  perform pg_advisory_xact_lock(7482145, new.workspace_no);
  select * into last from audit_log where workspace_no = new.workspace_no
  order by entry_no desc limit 1;
  new.entry_no := coalesce(last.entry_no, 0) + 1;
  new.at := greatest(clock_timestamp(), last.at);
  new.previous_hash := coalesce(last.hash, sha256(''));
  new.hash := audit_hash(new);
  return new;
end $$;
create trigger audit_log_chain before insert on audit_log
  for each row execute function chain_audit_entry();

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit entries are neither changed nor deleted';
end $$;
create trigger audit_log_kept before update or delete or truncate on audit_log
  for each statement execute function refuse_audit_change();
