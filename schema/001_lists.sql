-- A list is a newsletter that readers join. Times are milliseconds since 1970 in UTC; durations are milliseconds.

CREATE TABLE list (
  id {auto_id},
  slug TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'private', 'archived')),
  sender TEXT NOT NULL,                          -- "The Courier <news@courier.example>"
  language TEXT NOT NULL DEFAULT 'en',
  timezone TEXT NOT NULL DEFAULT 'UTC',          -- IANA name
  schedule TEXT,                                 -- as the operator wrote it; NULL: only by hand
  schedule_set_at INTEGER,                       -- slots before this are not owed to anyone
  template TEXT NOT NULL DEFAULT 'digest',
  minimum INTEGER NOT NULL DEFAULT 1 CHECK (minimum >= 1),
  maximum INTEGER NOT NULL DEFAULT 20 CHECK (maximum >= minimum),
  look_back INTEGER NOT NULL DEFAULT 604800000 CHECK (look_back > 0),
  approval INTEGER NOT NULL DEFAULT 0 CHECK (approval IN (0, 1)),   -- 1: an issue is held until a person approves it
  welcome INTEGER NOT NULL DEFAULT 0 CHECK (welcome IN (0, 1)),
  created_at INTEGER NOT NULL
) {strict};

-- Its own row, so that becoming active and starting to send queue behind each other and behind nothing else.
-- active: subscriptions with left_at IS NULL, kept by the transactions that change them.
CREATE TABLE list_counter (
  list_id INTEGER PRIMARY KEY REFERENCES list (id),
  active INTEGER NOT NULL DEFAULT 0 CHECK (active >= 0),
  last_left_at INTEGER NOT NULL DEFAULT 0,       -- both only ever rise, whatever the clock does: an audience fixed at T is
  last_fixed_at INTEGER NOT NULL DEFAULT 0,      -- whoever had not left at T, and leaving later is later than T
  last_issue_number INTEGER NOT NULL DEFAULT 0
) {strict};
