-- Who may do what: a role for each program, with what its statements need (docs/decisions/0076). Applied
-- by `migrate`, after everything was revoked. A table that is not here is closed to all programs: name it
-- where a program reads or writes it, and in policies.ts.

-- All: what a schema this is.
grant select on migrations, access_state to pushkeep_registry, pushkeep_sender, pushkeep_workers, pushkeep_admin;
grant execute on function message_no_at(timestamptz), next_message_no(), audit_hash(audit_log), name_hash(text)
  to pushkeep_registry, pushkeep_sender, pushkeep_workers, pushkeep_admin;

-- Who may change how much a process logs. Workers read no other key, and this one by its hash alone.
grant execute on function installation_key(bytea) to pushkeep_registry, pushkeep_sender, pushkeep_workers;

-- The token registry: people, devices and what they did. No credentials, no content of messages, no keys
-- but to look at, no audit log but to add to.
grant select on apps, api_keys, identity_keys to pushkeep_registry;
grant select, insert, update on key_uses, rate_buckets to pushkeep_registry;
grant select, insert, update, delete on people, anonymous_ids, person_events to pushkeep_registry;
grant select, insert, update on devices to pushkeep_registry;
grant select, insert on device_events, client_messages to pushkeep_registry;
grant insert on audit_log to pushkeep_registry;
grant select, insert, update on erasures to pushkeep_registry;
grant select, insert, update, delete on former_devices to pushkeep_registry;
grant usage on sequence person_event_seq to pushkeep_registry;
grant select, insert, update on receipts, receipt_counts, early_receipts to pushkeep_registry;
grant select on message_counts to pushkeep_registry;
grant select, update (person_no) on deliveries to pushkeep_registry;
-- Which message a receipt is of; not what it says, nor to whom.
do $$ begin
  execute format('grant select (%s) on messages to pushkeep_registry', (
    select string_agg(quote_ident(attname), ', ') from pg_attribute
    where attrelid = 'messages'::regclass and attnum > 0 and not attisdropped
      and attname not in ('audience', 'content', 'person_keys')));
end $$;

-- The push sender: messages in, reports out, and the console. Never the secrets of credentials; it locks
-- new ones for the workers (0083). Workers alone write deliveries.
grant select on workspaces, people, anonymous_ids, person_events, devices, device_events, deliveries,
  receipts, receipt_counts, unbalanced_messages, bounce_minutes, provider_minutes, message_progress,
  message_reasons, accepted_minutes, worker_reports, device_counts, device_counts_state, credential_boxes
  to pushkeep_sender;
grant select, insert, update on apps, api_keys, messages, message_counts, chunks to pushkeep_sender;
do $$
declare
  shown text := (
    select string_agg(quote_ident(attname), ', ') from pg_attribute
    where attrelid = 'app_providers'::regclass and attnum > 0 and not attisdropped
      and attname <> 'secret');
  changed text := (
    select string_agg(quote_ident(attname), ', ') from pg_attribute
    where attrelid = 'app_providers'::regclass and attnum > 0 and not attisdropped
      and attname not in ('app_no', 'provider', 'secret', 'settings', 'version', 'expires_at'));
begin
  execute format('grant select (%s), update (%s) on app_providers to pushkeep_sender', shown, changed);
end $$;
grant select, insert on idempotency_keys, audit_log, credential_tasks to pushkeep_sender;
grant select, insert, update on outbox to pushkeep_sender;
grant update on bounce_minutes to pushkeep_sender;
grant select, delete on bounced_people to pushkeep_sender, pushkeep_admin;
grant select, insert, update, delete on console_sessions to pushkeep_sender;
grant select, insert, update on key_uses, lane_trials, rate_buckets to pushkeep_sender;
grant insert, update on people, devices to pushkeep_sender;
grant insert on device_events to pushkeep_sender;
grant select on former_devices to pushkeep_sender;
grant usage on sequence message_seq to pushkeep_sender;

-- Workers: everything of messages and deliveries, and what providers say of devices. The one program of
-- the running system that reads sealed credentials.
grant select on workspaces, apps, people, idempotency_keys, accepted_minutes to pushkeep_workers;
grant select, insert, update on app_providers to pushkeep_workers;
grant select, update on devices, credential_tasks to pushkeep_workers;
grant select, insert on device_events, audit_log to pushkeep_workers;
grant select, insert, update, delete on messages, message_counts, chunks, outbox, deliveries,
  deliveries_default, receipts, receipts_default, receipt_counts, early_receipts, bounce_minutes,
  books_position, books_later, unbalanced_messages, provider_minutes, message_progress, message_reasons,
  accepted_minutes, worker_reports, device_counts, device_counts_state, credential_boxes, doubts,
  lane_trials, bounced_people to pushkeep_workers;
grant select, delete on idempotency_keys, person_events, person_events_default, client_messages,
  client_messages_default, anonymous_ids, console_sessions, credential_tasks to pushkeep_workers;
grant select, update, delete on erasures to pushkeep_workers;
grant select, delete on former_devices, rate_buckets to pushkeep_workers;
grant delete on devices, device_events to pushkeep_workers;
grant usage on sequence message_seq to pushkeep_workers;
grant execute on function add_partition(text, text, timestamptz, timestamptz), drop_partition(text, text),
  analyze_table(text) to pushkeep_workers;

-- The `pushkeep` command, for an operator of the installation: workspaces, apps, keys and credentials,
-- import and export, doctor.
grant select, insert, update, delete on workspaces, apps, app_providers, api_keys, identity_keys, people,
  devices, anonymous_ids, person_events, client_messages, messages, message_counts, chunks, outbox,
  bounce_minutes, console_sessions to pushkeep_admin;
grant select, insert on device_events, audit_log to pushkeep_admin;
grant select on idempotency_keys, deliveries, receipts, receipt_counts, early_receipts, books_position,
  books_later, unbalanced_messages, provider_minutes, message_progress, message_reasons, accepted_minutes,
  worker_reports, device_counts, device_counts_state, credential_boxes, credential_tasks
  to pushkeep_admin;
grant select on key_uses to pushkeep_admin;
grant select, insert, update on lane_trials to pushkeep_admin;
grant select, insert, update on erasures to pushkeep_admin;
grant select, insert, update, delete on former_devices to pushkeep_admin;
grant usage on sequence message_seq, person_event_seq to pushkeep_admin;
