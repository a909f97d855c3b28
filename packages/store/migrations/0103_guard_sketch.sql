-- The mass-bounce guard counts people who were accepted, too, not their pushes (docs/decisions/0016).
alter table bounce_minutes
  -- a sketch of the people who were accepted in this minute (domain/person-sketch.ts); null: an older version
  -- counted, or the minute is long over
  add column accepted bit(2560),
  -- how many of `judged` a version counted that keeps the sketch: where it is less, the minute is not judged
  add column counted int not null default 0;
