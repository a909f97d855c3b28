-- Resuming a paused lane is half-open: workers try up to three deliveries, and what they were told decides.
-- The last trial of each lane.
create table lane_trials (
  app_no      int not null,
  provider    text not null,
  id          uuid not null,
  asked_at    timestamptz not null default now(),
  taken_at    timestamptz,
  finished_at timestamptz,
  -- whether the lane goes on
  opened      boolean,
  -- what was tried: [{message_id, device_no, accepted, reason}]
  tried       jsonb,
  primary key (app_no, provider)
);
