-- A broadcast updates every device of a page. With room for a fifth of them the others moved to another page,
-- with new entries in each index: three of five. With room for all, none does, and the table is no larger after a
-- broadcast or two. What is stored already moves there as it is written.
alter table devices set (fillfactor = 50);
