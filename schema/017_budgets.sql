-- More kinds of budget: the /48 of an IPv6 client, requests without a proof that was asked for, solutions of the proof of work that
-- were used, how often mail to one address was refused, and which addresses are flooded.
CREATE TABLE new_budget (
  kind TEXT NOT NULL CHECK (kind IN ('address', 'client', 'network', 'unproven', 'domain', 'list', 'total', 'solution', 'refused', 'flood')),
  key TEXT NOT NULL,
  window_start INTEGER NOT NULL,
  used INTEGER NOT NULL,
  PRIMARY KEY (kind, key, window_start)
) {strict};
INSERT INTO new_budget (kind, key, window_start, used) SELECT kind, key, window_start, used FROM budget;
DROP TABLE budget;
ALTER TABLE new_budget RENAME TO budget;
CREATE INDEX budget_by_age ON budget (window_start);
