-- Customer.io's clients may name a person by e-mail address: the attribute of that name, or an id that
-- is one. In lower case and not unique; docs/decisions/0041. Longer than an address may be is none.
alter table people add column email text collate "C" generated always as (
  case
    when octet_length(attributes ->> 'email') <= 254 then lower((attributes ->> 'email') collate "default")
    when attributes ->> 'email' is null and position('@' in id) > 0 then lower(id collate "default")
  end) stored;
create index people_email on people (workspace_no, email) where email is not null;
