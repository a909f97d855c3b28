-- Identity tokens: whether an app asks for them, and the keys that its backend signs them with.
alter table apps
  add column identity_mode text not null default 'off'
    check (identity_mode in ('off', 'log', 'required'));

create table identity_keys (
  app_no     int not null references apps,
  kid        text collate "C" not null,
  algorithm  text not null check (algorithm in ('ES256', 'EdDSA', 'RS256', 'HS256')),
  -- a public key as PEM; null where the two share a secret
  public_key text,
  -- AES-256-GCM of a shared secret, under a key of its own: the registry opens it, and nothing else
  secret     bytea,
  created_at timestamptz not null default now(),
  primary key (app_no, kid),
  check ((public_key is null) = (algorithm = 'HS256')),
  check ((secret is null) = (algorithm <> 'HS256'))
);

-- SHA-256 of the secret with which an installation reads its own device back.
alter table devices add column reader_hash bytea;
