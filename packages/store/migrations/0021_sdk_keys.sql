-- Whether pushes to an app carry the keys that Customer.io's SDKs need (docs/decisions/0051).
alter table apps add column sdk_keys boolean not null default true;
