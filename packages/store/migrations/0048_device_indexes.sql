-- The app comes last in the indexes by token and by installation: while the table is young, PostgreSQL
-- takes any index that begins with the app for as good as another, and searched all of an app's tokens
-- for a device by its number. A statement keeps such a plan while the table grows.
create unique index devices_token_app on devices (token_hash, app_no);
drop index devices_token;
alter index devices_token_app rename to devices_token;

create unique index devices_installation_app on devices (installation_id, app_no)
  where installation_id is not null and deleted_at is null;
drop index devices_installation;
alter index devices_installation_app rename to devices_installation;
