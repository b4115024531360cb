-- Letters are kept for as long as a sign-up is, and found by their age.

CREATE INDEX letter_by_age ON letter (created_at);
