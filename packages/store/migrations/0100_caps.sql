-- What one person may have. A session says how much (`pushkeep.*`); 0: any number. docs/decisions/0065
create function session_cap(name text, usual int) returns int
language sql stable parallel safe as $$
  select coalesce(nullif(current_setting('pushkeep.' || name, true), ''), usual::text)::int
$$;

create function attribute_count(attributes jsonb) returns int
language sql immutable parallel safe as $$
  select count(*)::int from jsonb_object_keys(attributes)
$$;

-- Whether attributes that are merged may be stored.
create function attributes_fit(attributes jsonb) returns boolean
language sql stable parallel safe as $$
  select pg_column_size(attributes) <= 262144
    and (session_cap('person_attributes', 1000) = 0
         or attribute_count(attributes) <= session_cap('person_attributes', 1000))
$$;

-- Those that have more already may change and remove what they have.
create function refuse_many_attributes() returns trigger
language plpgsql as $$
declare
  most int := session_cap('person_attributes', 1000);
  had int := case when tg_op = 'UPDATE' then attribute_count(old.attributes) else 0 end;
begin
  if most > 0 and attribute_count(new.attributes) > greatest(most, had) then
    raise check_violation using
      message = format('more than %s attributes', most),
      constraint = tg_table_name || '_attributes_count';
  end if;
  return new;
end $$;

-- 300 names take more than that: few rows are counted.
create trigger people_attributes_count before insert or update of attributes on people
  for each row when (pg_column_size(new.attributes) > 2400)
  execute function refuse_many_attributes();
create trigger devices_attributes_count before insert or update of attributes on devices
  for each row when (pg_column_size(new.attributes) > 2400)
  execute function refuse_many_attributes();
create trigger anonymous_ids_attributes_count before insert or update of attributes on anonymous_ids
  for each row when (pg_column_size(new.attributes) > 2400)
  execute function refuse_many_attributes();
