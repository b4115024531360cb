-- A reader who changed their address: where the stretch under the old one goes on, so that links of older mail still mean them.
ALTER TABLE subscription ADD COLUMN moved_to INTEGER;            -- the subscription under the new address
CREATE INDEX sign_up_of_move ON sign_up (replaces) WHERE replaces IS NOT NULL;
