-- What the operator watches: an issue's account without a look at every reader of it, and what stands in its way.

-- Of a finished slice, whose rows in delivery change, but never become more or fewer.
ALTER TABLE slice ADD COLUMN readers INTEGER;    -- outcomes within it; NULL: it is not finished
ALTER TABLE slice ADD COLUMN first_at INTEGER;   -- of those accepted at the first try; NULL: none was
ALTER TABLE slice ADD COLUMN last_at INTEGER;
UPDATE slice SET
  readers = (SELECT count(*) FROM delivery d
             WHERE d.mailing_id = slice.mailing_id AND d.subscription_id BETWEEN slice.first_id AND slice.last_id),
  first_at = (SELECT min(at) FROM delivery d
              WHERE d.mailing_id = slice.mailing_id AND d.subscription_id BETWEEN slice.first_id AND slice.last_id
                AND d.state = 'accepted' AND d.tries = 1),
  last_at = (SELECT max(at) FROM delivery d
             WHERE d.mailing_id = slice.mailing_id AND d.subscription_id BETWEEN slice.first_id AND slice.last_id
               AND d.state = 'accepted' AND d.tries = 1)
WHERE finished_at IS NOT NULL;

-- Everybody but who was accepted at the first try: few, as a rule.
CREATE INDEX delivery_eventful ON delivery (mailing_id, state, reason, tries, at)
  WHERE state <> 'accepted' OR tries <> 1;

-- How long a relay took from the end of a message to its answer: answers within this time, and longer than the one before.
CREATE TABLE answer_times (
  mailing_id INTEGER NOT NULL REFERENCES mailing (id),
  relay TEXT NOT NULL,
  within_10ms INTEGER NOT NULL,
  within_20ms INTEGER NOT NULL,
  within_50ms INTEGER NOT NULL,
  within_100ms INTEGER NOT NULL,
  within_200ms INTEGER NOT NULL,
  within_500ms INTEGER NOT NULL,
  within_1s INTEGER NOT NULL,
  within_2s INTEGER NOT NULL,
  within_5s INTEGER NOT NULL,
  within_10s INTEGER NOT NULL,
  within_30s INTEGER NOT NULL,
  within_60s INTEGER NOT NULL,
  longer INTEGER NOT NULL,
  PRIMARY KEY (mailing_id, relay)
) {strict};

-- A domain that is left alone for a while, as relay_state has it for a relay.
CREATE TABLE domain_state (
  name TEXT PRIMARY KEY,
  held_until INTEGER NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL
) {strict};
