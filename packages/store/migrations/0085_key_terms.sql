-- Terms of keys: until when one works, from where, and whether it may operate the whole installation
-- (docs/decisions/0086, 0088). Keys that are there work as before.
alter table api_keys
  add column is_installation boolean not null default false,
  add column expires_at timestamptz,
  -- addresses and networks in CIDR notation; null: from anywhere
  add column allowed_addresses text[],
  add constraint api_keys_installation
    check (not is_installation or (kind = 'secret' and app_no is null));

-- When a key was last used, to the minute; `exposed_at`: a secret key came from a browser or an app. Apart from the
-- keys, which a program that faces the internet may not change.
create table key_uses (
  key_id     uuid primary key references api_keys (id) on delete cascade,
  used_at    timestamptz not null,
  exposed_at timestamptz
);

-- A key of an installation operator by its hash, for programs that may not read keys: the workers' operations port.
create function installation_key(hash bytea)
returns table (id uuid, workspace_no int, name text, role text, allowed_addresses text[])
language sql stable security definer as $$
  select k.id, k.workspace_no, k.name, k.role, k.allowed_addresses from api_keys k
  where k.key_hash = hash and k.is_installation and k.revoked_at is null
    and (k.expires_at is null or k.expires_at > now())
$$;
do $$ begin
  execute format(
    'alter function installation_key(bytea) set search_path = %I, pg_temp', current_schema());
  execute 'revoke execute on function installation_key(bytea) from public';
end $$;
