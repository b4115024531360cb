-- The consent record becomes a chain: each entry carries the SHA-256 of its content and of the entry before it, so that none can be
-- changed, put in or taken out unseen. What names a person enters the hash as a seal, SHA-256 of a random salt and the values.
-- Erasing empties the values and the salt and keeps the seal: the chain stays whole, and the seal alone says nothing.

ALTER TABLE consent ADD COLUMN language TEXT NOT NULL DEFAULT '';  -- of the words
ALTER TABLE consent ADD COLUMN sign_up INTEGER;                    -- which asking this is, or confirms
ALTER TABLE consent ADD COLUMN mail TEXT;                          -- left side of the Message-ID of the mail that asked
ALTER TABLE consent ADD COLUMN person_salt {blob};                 -- of address_key, form and mail, while they stand here
ALTER TABLE consent ADD COLUMN person_seal {blob};                 -- in their stead
ALTER TABLE consent ADD COLUMN client_salt {blob};                 -- of client
ALTER TABLE consent ADD COLUMN client_seal {blob};
ALTER TABLE consent ADD COLUMN hash {blob};

UPDATE consent SET person_salt = randomblob(16) WHERE address_key IS NOT NULL OR form IS NOT NULL;
UPDATE consent SET client_salt = randomblob(16) WHERE client IS NOT NULL;

-- The same bytes as subscribers/consent_chain.cpp: each piece as LENGTH:BYTES, with a comma behind it, binary ones in hexadecimal.
CREATE TABLE chained (id INTEGER PRIMARY KEY, hash {blob} NOT NULL) {strict};
INSERT INTO chained (id, hash)
WITH RECURSIVE chain (id, hash) AS (
  SELECT 0, x''
  UNION ALL
  SELECT c.id, sha256(
    length(hex(chain.hash)) || ':' || lower(hex(chain.hash)) || ','
    || length(c.list_id) || ':' || c.list_id || ',' || length(c.event) || ':' || c.event || ',' || length(c.at) || ':' || c.at || ','
    || length(CAST(c.words AS BLOB)) || ':' || c.words || ',0:,0:,'
    || CASE WHEN c.person_salt IS NULL THEN '0:,' ELSE '64:' || lower(hex(sha256('32:' || lower(hex(c.person_salt)) || ','
       || length(CAST(coalesce(c.address_key, '') AS BLOB)) || ':' || coalesce(c.address_key, '') || ','
       || length(CAST(coalesce(c.form, '') AS BLOB)) || ':' || coalesce(c.form, '') || ',0:,'))) || ',' END
    || CASE WHEN c.client_salt IS NULL THEN '0:,' ELSE '64:' || lower(hex(sha256('32:' || lower(hex(c.client_salt)) || ','
       || length(CAST(c.client AS BLOB)) || ':' || c.client || ','))) || ',' END)
  FROM chain JOIN consent c ON c.id = (SELECT min(id) FROM consent WHERE id > chain.id)
)
SELECT id, hash FROM chain WHERE id > 0;
UPDATE consent SET hash = (SELECT hash FROM chained WHERE chained.id = consent.id);
DROP TABLE chained;

DROP INDEX consent_with_client;
CREATE INDEX consent_with_client ON consent (at) WHERE client_salt IS NOT NULL;

CREATE TRIGGER consent_is_kept BEFORE DELETE ON consent
BEGIN SELECT RAISE(ABORT, 'the consent record is only added to'); END;

-- Emptied it may be, and rewritten never.
CREATE TRIGGER consent_is_not_rewritten BEFORE UPDATE ON consent
WHEN NEW.id IS NOT OLD.id OR NEW.list_id IS NOT OLD.list_id OR NEW.event IS NOT OLD.event OR NEW.at IS NOT OLD.at
  OR NEW.words IS NOT OLD.words OR NEW.language IS NOT OLD.language OR NEW.sign_up IS NOT OLD.sign_up OR NEW.hash IS NOT OLD.hash
  OR coalesce(NEW.address_key, OLD.address_key) IS NOT OLD.address_key OR coalesce(NEW.form, OLD.form) IS NOT OLD.form
  OR coalesce(NEW.mail, OLD.mail) IS NOT OLD.mail
  OR (NEW.client IS NOT OLD.client AND NEW.client_salt IS NOT NULL)
  OR coalesce(OLD.person_seal, NEW.person_seal) IS NOT NEW.person_seal
  OR coalesce(OLD.client_seal, NEW.client_seal) IS NOT NEW.client_seal
BEGIN SELECT RAISE(ABORT, 'the consent record is only added to'); END;
