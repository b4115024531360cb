-- Which of a list's topics a reader wants: their names, one a line, as the list wrote them; empty: all.

ALTER TABLE subscription ADD COLUMN topics TEXT NOT NULL DEFAULT '';
ALTER TABLE sign_up ADD COLUMN topics TEXT;      -- NULL: nothing was said of them, so what was chosen before stays
