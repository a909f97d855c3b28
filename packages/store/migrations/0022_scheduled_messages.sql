-- Scheduled messages: not planned before `send_at` (null: at once). When their sending begins they
-- get a new number, since numbers are time and choose the partition of their deliveries.
-- docs/decisions/0052.
alter table messages
  add column send_at timestamptz,
  -- when the sending of a scheduled one began; null while it waits
  add column begun_at timestamptz;

-- What nobody planned is looked for by when it was due.
drop index messages_unplanned;
create index messages_unplanned on messages ((coalesce(send_at, created_at))) where planned_at is null;

create index messages_scheduled on messages (workspace_no, message_no)
  where send_at is not null and begun_at is null and planned_at is null;
