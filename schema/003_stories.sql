-- Where stories come from, the stories, and for which lists each is a candidate.

CREATE TABLE feed (
  id {auto_id},
  url TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'failing', 'paused', 'gone')),
  every INTEGER NOT NULL,                        -- the operator's interval; the next poll may be later
  next_poll_at INTEGER NOT NULL,
  retry_after_until INTEGER,                     -- the server asked not to be asked before this
  etag TEXT,                                     -- both exactly as the server sent them
  last_modified TEXT,
  moved_url TEXT,                                -- where permanent redirects lead, and how often in a row they did
  moved_times INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,           -- in a row
  last_error TEXT,
  last_polled_at INTEGER,
  last_success_at INTEGER,
  created_at INTEGER NOT NULL
) {strict};
CREATE INDEX feed_due ON feed (next_poll_at) WHERE state IN ('active', 'failing');

CREATE TABLE feed_list (
  feed_id INTEGER NOT NULL REFERENCES feed (id) ON DELETE CASCADE,
  list_id INTEGER NOT NULL REFERENCES list (id),
  started_at INTEGER,                            -- the first poll for this list, which remembers; NULL: still to come
  catch_up INTEGER NOT NULL DEFAULT 0 CHECK (catch_up >= 0), -- the newest so many of that first poll are candidates
  PRIMARY KEY (feed_id, list_id)
) {strict};

CREATE TABLE story (
  id {auto_id},
  canonical_url TEXT UNIQUE,                     -- identity across feeds; NULL for a story without a link
  url TEXT NOT NULL,
  title TEXT NOT NULL,
  byline TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL DEFAULT '',               -- the feed's or site's name
  published_at INTEGER,
  first_seen_at INTEGER NOT NULL,
  summary TEXT NOT NULL DEFAULT '',
  html TEXT NOT NULL DEFAULT '',                 -- safe: only what the allow-list lets through
  image_url TEXT NOT NULL DEFAULT '',
  image_width INTEGER NOT NULL DEFAULT 0,
  image_height INTEGER NOT NULL DEFAULT 0,
  image_alt TEXT NOT NULL DEFAULT '',
  categories TEXT NOT NULL DEFAULT '[]',         -- a JSON array of strings
  language TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'held', 'hidden'))
) {strict};

-- The ids under which feeds know a story.
CREATE TABLE story_key (
  feed_id INTEGER NOT NULL REFERENCES feed (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  story_id INTEGER NOT NULL REFERENCES story (id),
  PRIMARY KEY (feed_id, key)
) {strict};
CREATE INDEX story_key_of_story ON story_key (story_id);

-- standing: 'candidate' may become part of an issue; 'remembered' was there before the list had the feed, and stays out.
CREATE TABLE story_list (
  list_id INTEGER NOT NULL REFERENCES list (id),
  story_id INTEGER NOT NULL REFERENCES story (id),
  standing TEXT NOT NULL CHECK (standing IN ('candidate', 'remembered')),
  since INTEGER NOT NULL,                        -- first seen for this list
  PRIMARY KEY (list_id, story_id)
) {strict};
CREATE INDEX story_list_candidates ON story_list (list_id, since) WHERE standing = 'candidate';
