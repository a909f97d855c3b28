-- The books are checked (R4): each message once it is done, its counts against its deliveries.

-- How far the check has come, in order of messages.
create table books_position (
  only_row   boolean primary key default true check (only_row),
  message_no bigint not null
);
insert into books_position (message_no) values (0);

-- Messages that were not done when the check came by.
create table books_later (
  message_no bigint primary key,
  look_at    timestamptz not null
);
create index books_later_look on books_later (look_at);

-- What did not add up.
create table unbalanced_messages (
  message_no bigint primary key,
  found_at   timestamptz not null default now(),
  -- both as sent, bounced, suppressed, failed, expired
  counts     bigint[] not null,
  deliveries bigint[] not null,
  recipients bigint not null
);
