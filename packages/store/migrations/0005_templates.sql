-- A message with templates is filled for each person when it is sent.

alter table messages
  -- the attributes of the person that its templates read; null: it has none
  add column person_keys text[];
