-- Apps that sign in to members' accounts. What an app says of itself nobody has checked.
CREATE TABLE apps (
  app_id BIGINT PRIMARY KEY,
  client_id TEXT NOT NULL UNIQUE,
  -- of the secret, which is told once
  secret_hash TEXT NOT NULL,
  name TEXT NOT NULL,
  -- empty where it has none
  website TEXT NOT NULL,
  redirect_uris_json TEXT NOT NULL,
  -- what it may ever ask for, with spaces between
  scopes TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  -- when a member first let it in; one that nobody let in is forgotten after a while
  granted_at BIGINT
);
CREATE INDEX apps_not_let_in ON apps (created_at, app_id) WHERE granted_at IS NULL;

-- What an app gets when a member lets it in, and gives back once for a token. Kept for a day, to notice a second use.
CREATE TABLE authorization_codes (
  code_hash TEXT PRIMARY KEY,
  app_id BIGINT NOT NULL REFERENCES apps (app_id),
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  redirect_uri TEXT NOT NULL,
  scopes TEXT NOT NULL,
  -- of PKCE, S256; none where the app sent none
  challenge TEXT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT,
  -- of the token it was given for
  token_hash TEXT
);
CREATE INDEX authorization_codes_by_member ON authorization_codes (actor_id);
CREATE INDEX authorization_codes_by_age ON authorization_codes (created_at);

-- Tokens of apps for themselves, without a member: they open nothing of anybody's.
CREATE TABLE app_tokens (
  token_hash TEXT PRIMARY KEY,
  app_id BIGINT NOT NULL REFERENCES apps (app_id),
  scopes TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX app_tokens_by_app ON app_tokens (app_id, created_at);

-- Which app has a token, none where the operator made it; and when it was last used.
ALTER TABLE api_tokens ADD COLUMN app_id BIGINT REFERENCES apps (app_id);
ALTER TABLE api_tokens ADD COLUMN used_at BIGINT;
CREATE INDEX api_tokens_by_member ON api_tokens (actor_id, created_at) WHERE revoked_at IS NULL;
