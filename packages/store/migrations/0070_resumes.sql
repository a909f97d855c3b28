-- How often an operator resumed a lane. Workers see it with their next lease and close their breakers.
alter table app_providers add column resumes int not null default 0;
