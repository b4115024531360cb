-- Which keys this database belongs with: one row, written when they are first used. Links and suppressions made with
-- others would be dead.

CREATE TABLE site_keys (
  fingerprint TEXT NOT NULL                      -- of the parts of keys/links that never change; says nothing of them
) {strict};
