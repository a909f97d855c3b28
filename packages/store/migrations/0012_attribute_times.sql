-- When each attribute of a person was set, in ms, where its client told: a call that comes late does not
-- overwrite what was said later. Empty where nobody tells times.
alter table people add column attribute_times jsonb not null default '{}';
