-- An issue: the stories and words of one mailing of a list, its number, its slot.
-- state holds what it is before it has a mailing; from then on its state is the mailing's.

CREATE TABLE issue (
  id {auto_id},
  list_id INTEGER NOT NULL REFERENCES list (id),
  number INTEGER,                                -- counted per list; NULL: skipped, or not frozen
  state TEXT NOT NULL CHECK (state IN ('draft', 'held', 'frozen', 'cancelled', 'skipped')),
  slot INTEGER,                                  -- the scheduled time it fills; NULL: made by hand
  reason TEXT,                                   -- why it was skipped or held
  subject TEXT NOT NULL DEFAULT '',
  content TEXT,                                  -- the frozen data of its templates, JSON
  page TEXT,                                     -- its HTML and its plain text, compiled: templates::Program
  plain TEXT,
  created_at INTEGER NOT NULL,
  frozen_at INTEGER,
  mailing_id INTEGER UNIQUE REFERENCES mailing (id),
  UNIQUE (list_id, slot),
  UNIQUE (list_id, number)
) {strict};

-- The ledger: a story is part of at most one issue of a list.
CREATE TABLE issue_story (
  list_id INTEGER NOT NULL REFERENCES list (id),
  story_id INTEGER NOT NULL REFERENCES story (id),
  issue_id INTEGER NOT NULL REFERENCES issue (id),
  position INTEGER NOT NULL,
  PRIMARY KEY (list_id, story_id)
) {strict};
CREATE INDEX issue_story_of_issue ON issue_story (issue_id, position);
