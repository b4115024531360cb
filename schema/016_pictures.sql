-- How large the pictures of stories are, where feeds do not say.

CREATE TABLE picture (
  url TEXT PRIMARY KEY,
  width INTEGER NOT NULL DEFAULT 0 CHECK (width >= 0),             -- pixels; 0: it could not be read
  height INTEGER NOT NULL DEFAULT 0 CHECK (height >= 0),
  read_at INTEGER NOT NULL
) {strict};
