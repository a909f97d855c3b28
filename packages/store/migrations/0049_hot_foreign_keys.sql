-- Each row that named a workspace or an app locked its row, which all rows of the moment share, and each
-- device its person: a third of what storing a device cost. Workspaces and apps are never deleted; who deletes
-- a person locks them first, and who ties a device to one holds them (packages/store/src/registration-rows.ts).
alter table devices drop constraint devices_person_no_fkey;
alter table people drop constraint people_workspace_no_fkey;
alter table messages drop constraint messages_workspace_no_fkey;
alter table messages drop constraint messages_app_no_fkey;
alter table idempotency_keys drop constraint idempotency_keys_workspace_no_fkey;
