-- Lists whose scheduled issues a person sees ahead of their slot. No row: they go out by themselves, or as list.approval says.

CREATE TABLE list_approval (
  list_id INTEGER PRIMARY KEY REFERENCES list (id),
  ahead INTEGER NOT NULL CHECK (ahead > 0),      -- of the slot
  unanswered TEXT NOT NULL CHECK (unanswered IN ('send', 'wait')),
  editor TEXT NOT NULL DEFAULT ''                -- who is asked; empty: the operator
) {strict};
