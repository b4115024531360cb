-- How the mails of a list look, and the words they begin with. No row: as the defaults say.

CREATE TABLE list_look (
  list_id INTEGER PRIMARY KEY REFERENCES list (id),
  accent TEXT NOT NULL,                          -- "#993322"
  background TEXT NOT NULL,
  fonts TEXT NOT NULL,                           -- a font-family, its names without quotes
  logo_url TEXT NOT NULL DEFAULT '',
  logo_width INTEGER NOT NULL DEFAULT 0 CHECK (logo_width >= 0),   -- pixels as shown; 0: not known
  logo_height INTEGER NOT NULL DEFAULT 0 CHECK (logo_height >= 0),
  intro TEXT NOT NULL DEFAULT ''
) {strict};
