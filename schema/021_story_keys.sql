-- What a feed brought last, without a look at all that it ever brought.

CREATE INDEX story_key_of_feed ON story_key (feed_id, story_id);
