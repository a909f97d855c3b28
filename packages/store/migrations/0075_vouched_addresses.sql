-- Who vouched for a person's e-mail address, and for the person. An address names its person to a sender only
-- where a secret key or the signed claim of an identity token has set it: what a public key says of `email` is
-- an attribute. null: from before the two were told apart; such an address counts until another person's
-- vouched one is the same. docs/decisions/0025.
alter table people add column email_vouched boolean;
-- Whether a secret key or an identity token has spoken of the person; false: made by a public key alone.
alter table people add column is_vouched boolean not null default true;
