-- The trace in which a message was accepted (W3C traceparent), so that delivering it belongs to the same
-- one. null where nothing is traced.
alter table messages add column traceparent text;
