-- A mailing: one frozen message for an audience. It knows nothing of stories.

CREATE TABLE mailing (
  id {auto_id},
  list_id INTEGER NOT NULL REFERENCES list (id),
  state TEXT NOT NULL DEFAULT 'scheduled' CHECK (state IN ('scheduled', 'sending', 'paused', 'sent', 'cancelled')),
  created_at INTEGER NOT NULL,
  started_at INTEGER,                            -- the moment the audience was fixed
  ceiling INTEGER,                               -- highest subscription id of the audience
  planned INTEGER,                               -- copied from list_counter.active at that moment
  finished_at INTEGER                            -- sent or cancelled
) {strict};
CREATE INDEX mailing_open ON mailing (list_id, id) WHERE finished_at IS NULL;

-- Apart from mailing, whose rows change often: delivery::Message, compiled, as JSON.
CREATE TABLE mailing_message (
  mailing_id INTEGER PRIMARY KEY REFERENCES mailing (id),
  message TEXT NOT NULL
) {strict};

-- A slice is claimed by one row; its readers are whoever of the audience has an id within it.
CREATE TABLE slice (
  mailing_id INTEGER NOT NULL REFERENCES mailing (id),
  first_id INTEGER NOT NULL,
  last_id INTEGER NOT NULL,
  worker TEXT,                                   -- who holds it; NULL: nobody
  lease_until INTEGER,
  finished_at INTEGER,                           -- every reader of it has an outcome
  PRIMARY KEY (mailing_id, first_id)
) {strict};
CREATE INDEX slice_open ON slice (mailing_id, first_id) WHERE finished_at IS NULL;

-- An outcome. No row: still to do. 'deferred' will be tried again at next_try_at, everything else is final.
CREATE TABLE delivery (
  mailing_id INTEGER NOT NULL REFERENCES mailing (id),
  subscription_id INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('deferred', 'accepted', 'refused', 'suppressed', 'expired', 'unknown')),
  at INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 1,
  next_try_at INTEGER,
  was_unknown INTEGER NOT NULL DEFAULT 0,        -- 1: one of its tries ended without an answer to the final dot
  reason TEXT,                                   -- the last answer, or the rule; NULL when accepted at once
  PRIMARY KEY (mailing_id, subscription_id)
) {strict_clustered};
CREATE INDEX delivery_deferred ON delivery (mailing_id, next_try_at) WHERE state = 'deferred';

-- A letter: a mailing to one (a confirmation, a welcome, a notice), whole and ready to leave, ahead of every issue.
CREATE TABLE letter (
  id {auto_id},
  purpose TEXT NOT NULL CHECK (purpose IN ('confirmation', 'welcome', 'notice', 'test')),
  sender TEXT NOT NULL,                          -- of the envelope
  address TEXT NOT NULL,
  address_key TEXT NOT NULL,
  message TEXT NOT NULL,                         -- complete, CRLF, never a line that begins with a dot
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'accepted', 'refused', 'expired', 'unknown')),
  created_at INTEGER NOT NULL,
  next_try_at INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER NOT NULL,
  finished_at INTEGER,
  reason TEXT
) {strict};
CREATE INDEX letter_due ON letter (next_try_at) WHERE state = 'waiting';
CREATE INDEX letter_to ON letter (address_key);

-- What stands between us and a relay, so that commands can show it and a restart remembers it.
CREATE TABLE relay_state (
  name TEXT PRIMARY KEY,
  held_until INTEGER,
  reason TEXT,
  at INTEGER NOT NULL
) {strict};
