-- A subscriber is one person's address. A subscription is one stretch of membership: its row is made when the reader becomes
-- active, leaving closes it, coming back makes a new one, so ids rise in the order of activation.

CREATE TABLE subscriber (
  id {auto_id},
  address TEXT NOT NULL,                         -- as given, for display and for the wire
  address_key TEXT NOT NULL UNIQUE,              -- identity: mail::Address::key()
  name TEXT NOT NULL DEFAULT '',
  language TEXT NOT NULL DEFAULT '',             -- '': the list's
  timezone TEXT NOT NULL DEFAULT '',
  attributes TEXT NOT NULL DEFAULT '{}',         -- a JSON object of strings
  created_at INTEGER NOT NULL
) {strict};

CREATE TABLE subscription (
  id {auto_id},
  list_id INTEGER NOT NULL REFERENCES list (id),
  subscriber_id INTEGER,                         -- NULL once the subscriber was erased
  activated_at INTEGER NOT NULL,
  left_at INTEGER,
  left_how TEXT CHECK (left_how IN ('page', 'one-click', 'mail', 'operator', 'suppressed', 'erased'))
) {strict};
CREATE INDEX subscription_of_list ON subscription (list_id, id);
CREATE UNIQUE INDEX subscription_active ON subscription (subscriber_id, list_id) WHERE left_at IS NULL;
CREATE INDEX subscription_of_subscriber ON subscription (subscriber_id);
CREATE INDEX subscription_left ON subscription (list_id, left_at) WHERE left_at IS NOT NULL;

-- A sign-up that waits for its confirmation; shown as a subscription in state 'pending'. Confirming keeps the row (a second click is
-- no error), and purging removes it.
CREATE TABLE sign_up (
  id {auto_id},
  list_id INTEGER NOT NULL REFERENCES list (id),
  address TEXT NOT NULL,
  address_key TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  language TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  confirmed_at INTEGER,
  replaces INTEGER,                              -- a change of address: the subscription that ends when this one begins
  UNIQUE (list_id, address_key)
) {strict};
CREATE INDEX sign_up_of_address ON sign_up (address_key);
CREATE INDEX sign_up_by_age ON sign_up (created_at);

-- What was agreed to, when, and how: only ever added to. Erasing a person empties address, client and name of form.
CREATE TABLE consent (
  id {auto_id},
  list_id INTEGER NOT NULL REFERENCES list (id),
  address_key TEXT,
  event TEXT NOT NULL CHECK (event IN ('asked', 'confirmed', 'imported', 'added', 'left', 'erased')),
  at INTEGER NOT NULL,
  words TEXT NOT NULL DEFAULT '',                -- the sentence the reader agreed to, or the operator's basis
  client TEXT,                                   -- the reader's network address
  form TEXT                                      -- the page or program it came through
) {strict};
CREATE INDEX consent_of_address ON consent (address_key);
CREATE INDEX consent_with_client ON consent (at) WHERE client IS NOT NULL;

-- Addresses that must not be mailed, as HMAC-SHA256 of the address key under the site's key: the table alone names nobody.
CREATE TABLE suppression (
  hash {blob} PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('bounce', 'complaint', 'erased', 'operator')),
  reason TEXT NOT NULL,
  created_at INTEGER NOT NULL
) {strict};

-- [signup] budgets: how much of each was used, and when. One row counts a twenty-fourth of the budget's time, from its first use on.
-- Addresses and clients are keyed hashes.
CREATE TABLE budget (
  kind TEXT NOT NULL CHECK (kind IN ('address', 'client', 'domain', 'list', 'total')),
  key TEXT NOT NULL,
  window_start INTEGER NOT NULL,
  used INTEGER NOT NULL,
  PRIMARY KEY (kind, key, window_start)
) {strict};
CREATE INDEX budget_by_age ON budget (window_start);
