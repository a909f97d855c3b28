-- Whoever adds to the audit log need not read it: the entry before is looked up as the owner, whatever rows
-- the program sees (docs/decisions/0076).
do $$ begin
  execute format(
    'alter function chain_audit_entry() security definer set search_path = %I, pg_temp',
    current_schema());
end $$;
