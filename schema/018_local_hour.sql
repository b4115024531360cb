-- Issues that come to each reader at the same hour of the reader's own clock.

ALTER TABLE list ADD COLUMN local_hour INTEGER NOT NULL DEFAULT 0 CHECK (local_hour IN (0, 1));
ALTER TABLE mailing ADD COLUMN local_slot INTEGER;  -- the moment whose reading of the list's clock counts; NULL: none does

-- The hours at which a mailing leaves. None: all of it at once.
CREATE TABLE wave (
  mailing_id INTEGER NOT NULL REFERENCES mailing (id),
  number INTEGER NOT NULL,                       -- 0: the list's own hour, for everybody who is in no other wave
  not_before INTEGER NOT NULL,
  zones TEXT NOT NULL,                           -- of its readers, one a line; the last wave takes who is left, too
  PRIMARY KEY (mailing_id, number)
) {strict};

-- A slice goes through all the waves, one after the other, and is finished after the last one.
ALTER TABLE slice ADD COLUMN wave INTEGER NOT NULL DEFAULT 0;      -- the one that is being sent or comes next
ALTER TABLE slice ADD COLUMN not_before INTEGER;                   -- it rests until then; NULL: it is being sent
CREATE INDEX slice_resting ON slice (mailing_id, wave, first_id) WHERE not_before IS NOT NULL;

CREATE INDEX subscriber_in_zone ON subscriber (timezone) WHERE timezone <> '';
