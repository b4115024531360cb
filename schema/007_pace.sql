-- How far the warm-up of a relay is, so that a restart does not begin the day, or the warm-up, anew.
CREATE TABLE relay_day (
  name TEXT PRIMARY KEY,
  date INTEGER NOT NULL,                         -- the last one on which it sent, in days since 1970, UTC
  day INTEGER NOT NULL,                          -- of the warm-up, 1 for the first
  sent INTEGER NOT NULL                          -- messages on this day
) {strict};
