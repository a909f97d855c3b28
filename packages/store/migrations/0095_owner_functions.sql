-- Programs connect with roles that own nothing (docs/decisions/0076). What only an owner may do and workers
-- need is a function each, which runs as the owner and takes no name of a table but ours.

-- Creates one partition; false: it is there, or rows of its range stand in the default partition.
create function add_partition(parent text, suffix text, lower_bound timestamptz, upper_bound timestamptz)
returns boolean language plpgsql security definer as $$
declare
  partition_name text := parent || '_' || suffix;
  bound text;
begin
  if suffix !~ '^\d{6}(\d\d)?$' then
    raise exception 'no suffix of a partition: %', suffix;
  end if;
  if to_regclass(partition_name) is not null then
    return false;
  end if;
  bound := case
    when parent in ('deliveries', 'receipts')
      then format('(message_no_at(%L)) to (message_no_at(%L))', lower_bound, upper_bound)
    when parent in ('device_events', 'person_events')
      then format('(%L) to (%L)', lower_bound, upper_bound)
    when parent = 'client_messages'
      then format('(%L) to (%L)', (lower_bound at time zone 'UTC')::date,
                  (upper_bound at time zone 'UTC')::date)
  end;
  if bound is null then
    raise exception 'no table with partitions: %', parent;
  end if;
  execute format(
    'create table %I partition of %I for values from ' || bound, partition_name, parent);
  return true;
exception when check_violation or duplicate_table or unique_violation then
  return false;
end $$;

-- Drops one partition; false: there is none of that name, or somebody reads it just now.
create function drop_partition(parent text, suffix text) returns boolean
language plpgsql security definer as $$
declare
  partition_name text := parent || '_' || suffix;
begin
  if parent not in ('deliveries', 'receipts', 'device_events', 'person_events', 'client_messages')
     or suffix !~ '^\d{6}(\d\d)?$' or to_regclass(partition_name) is null then
    return false;
  end if;
  set local lock_timeout = '2s';
  execute format('drop table %I', partition_name);
  return true;
exception when lock_not_available then
  return false;
end $$;

-- Gathers the planner's statistics of a table of ours.
create function analyze_table(table_name text) returns void
language plpgsql security definer as $$
begin
  if not exists (
    select from pg_class
    where relname = table_name and relnamespace = current_schema()::regnamespace and relkind = 'r'
  ) then
    raise exception 'no table of ours: %', table_name;
  end if;
  execute format('analyze %I', table_name);
end $$;

-- Temporary tables come last, so that nobody puts one in the place of a table of ours.
do $$
declare
  definer text;
begin
  foreach definer in array array[
    'add_partition(text, text, timestamptz, timestamptz)', 'drop_partition(text, text)',
    'analyze_table(text)']
  loop
    execute format('alter function %s set search_path = %I, pg_temp', definer, current_schema());
    execute format('revoke execute on function %s from public', definer);
  end loop;
end $$;

-- Which text of access/grants.sql is in force.
create table access_state (
  only_row   boolean primary key default true check (only_row),
  digest     text not null,
  applied_at timestamptz not null default now()
);
