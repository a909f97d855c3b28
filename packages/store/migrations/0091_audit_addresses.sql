-- From where an entry's deed was asked for. Part of the hash where it is known, so that older entries keep theirs.
-- Workspace 0 is the installation: what belongs to no workspace, as a sign-in with a key that no one has.
alter table audit_log add column address text;

create or replace function audit_hash(entry audit_log) returns bytea language sql immutable
  return sha256(entry.previous_hash || convert_to((jsonb_build_array(
    entry.workspace_no, entry.entry_no, (extract(epoch from entry.at) * 1000000)::bigint,
    entry.key_id, entry.key_name, entry.role, entry.action, entry.app_no, entry.target_kind,
    entry.target, entry.detail)
    || case when entry.address is null then '[]' else jsonb_build_array(entry.address) end)::text, 'UTF8'));
