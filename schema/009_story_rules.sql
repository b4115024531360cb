-- What a poll learns of a feed beyond its stories, and what editors say of feeds, stories and lists.

ALTER TABLE feed ADD COLUMN weight INTEGER NOT NULL DEFAULT 0;     -- heavier ones first, where a list is ordered so
ALTER TABLE feed ADD COLUMN read_pages INTEGER NOT NULL DEFAULT 0 CHECK (read_pages IN (0, 1)); -- of bare titles
ALTER TABLE feed ADD COLUMN items INTEGER;                         -- in the last answer that was a feed
ALTER TABLE feed ADD COLUMN new_ids INTEGER NOT NULL DEFAULT 0;    -- known stories that came under new ids
ALTER TABLE feed ADD COLUMN new_ids_at INTEGER;                    -- and when that happened last
ALTER TABLE feed ADD COLUMN flooded INTEGER NOT NULL DEFAULT 0;    -- items that were too many at once, and only remembered
ALTER TABLE feed ADD COLUMN flooded_at INTEGER;

ALTER TABLE story ADD COLUMN not_before INTEGER;                   -- embargo
ALTER TABLE story ADD COLUMN expires_at INTEGER;                   -- no use to readers from then on
ALTER TABLE story ADD COLUMN pinned_at INTEGER;                    -- first in the next issue of each of its lists
CREATE INDEX story_by_moment ON story (published_at, title);       -- the same story through two feeds

-- The place in its feed at which an item was first seen: 0 for the top.
ALTER TABLE story_key ADD COLUMN place INTEGER NOT NULL DEFAULT 0;

-- How a list picks and orders its stories, beside minimum, maximum and look-back. No row: as the defaults say.
CREATE TABLE list_rules (
  list_id INTEGER PRIMARY KEY REFERENCES list (id),
  sequence TEXT NOT NULL DEFAULT 'newest' CHECK (sequence IN ('newest', 'oldest', 'feed', 'weight')),
  per_feed INTEGER CHECK (per_feed >= 1),                          -- stories of one feed in an issue; NULL: any number
  per_topic INTEGER CHECK (per_topic >= 1),
  expiry INTEGER CHECK (expiry > 0),                               -- how long a story may wait; NULL: for ever
  include TEXT NOT NULL DEFAULT '[]',                              -- JSON arrays of what the operator wrote
  exclude TEXT NOT NULL DEFAULT '[]',
  topics TEXT NOT NULL DEFAULT '[]'
) {strict};

-- The ledger's past: the issues in which a story went out before the operator asked to send it again.
CREATE TABLE issue_story_before (
  list_id INTEGER NOT NULL REFERENCES list (id),
  story_id INTEGER NOT NULL REFERENCES story (id),
  issue_id INTEGER NOT NULL REFERENCES issue (id),
  position INTEGER NOT NULL,
  PRIMARY KEY (issue_id, story_id)
) {strict};
CREATE INDEX issue_story_before_of_list ON issue_story_before (list_id, story_id);
