-- What the operator is told: a row for each trouble, from its first sight to the mail that says it is over.

CREATE TABLE notice (
  id {auto_id},
  kind TEXT NOT NULL,                            -- 'feed_failing' and its like: digest/troubles.hpp
  subject TEXT NOT NULL,                         -- which feed, list, issue or relay
  name TEXT NOT NULL,                            -- the same for people
  reason TEXT NOT NULL DEFAULT '',
  since INTEGER NOT NULL,
  told_at INTEGER,                               -- NULL: not yet
  cured_at INTEGER,                              -- NULL: it lasts
  cure_told_at INTEGER
) {strict};
CREATE UNIQUE INDEX notice_lasting ON notice (kind, subject) WHERE cured_at IS NULL;

-- A feed's habit: the longest it was usually without news, so that a longer silence is noticed.
ALTER TABLE feed ADD COLUMN news_at INTEGER;                       -- when it last brought some
ALTER TABLE feed ADD COLUMN habit INTEGER NOT NULL DEFAULT 0;      -- the longest wait for them, fading with time
ALTER TABLE feed ADD COLUMN arrivals INTEGER NOT NULL DEFAULT 0;   -- polls that brought news

CREATE INDEX issue_open ON issue (list_id) WHERE state IN ('draft', 'held'); -- before it is frozen: few of many
