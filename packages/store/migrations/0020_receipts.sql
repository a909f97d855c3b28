-- Receipts: what phones tell of a push (delivered, opened, clicked, converted). Apart from
-- `deliveries`, so that recording an outcome writes nothing more, and apart from `message_counts`,
-- which recording locks. Partitioned like deliveries. docs/decisions/0050.
create table receipts (
  message_no   bigint not null,
  device_no    bigint not null,
  -- one bit an event (packages/store/src/receipt-codes.ts)
  events       smallint not null,
  -- the bits that the last write added: what there is to count of it
  news         smallint not null,
  -- the earliest time that was told; any receipt proves that the push was delivered
  delivered_at timestamptz not null,
  opened_at    timestamptz,
  clicked_at   timestamptz,
  converted_at timestamptz,
  primary key (message_no, device_no)
) partition by range (message_no);
create table receipts_default partition of receipts default;

create table receipt_counts (
  message_no bigint primary key,
  delivered  bigint not null default 0,
  opened     bigint not null default 0,
  clicked    bigint not null default 0,
  converted  bigint not null default 0
) with (fillfactor = 50);

-- Receipts that came before the outcome of their delivery was on record (a phone may be faster than
-- we are, and an unknown outcome is written later). They become receipts once it is, and go where
-- the message ends without it: then the device was no recipient.
create table early_receipts (
  message_no   bigint not null,
  device_no    bigint not null,
  events       smallint not null,
  delivered_at timestamptz not null,
  opened_at    timestamptz,
  clicked_at   timestamptz,
  converted_at timestamptz,
  primary key (message_no, device_no)
);
