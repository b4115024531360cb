-- What readers say beside their topics: that they want no mail for a while, and why they left.

ALTER TABLE subscriber ADD COLUMN paused_until INTEGER;            -- gets no issue before; NULL: is not paused
ALTER TABLE subscription ADD COLUMN left_reason TEXT CHECK (left_reason IN ('often', 'content', 'never', 'other'));
CREATE INDEX subscription_left_reason ON subscription (list_id, left_reason) WHERE left_reason IS NOT NULL;
