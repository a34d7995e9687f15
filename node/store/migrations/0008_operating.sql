-- What operators look at: how much came and went in each hour, and what a peer tells of itself.
-- One row for each hour and kind (received, delivered, failed); what is older than 31 days goes.
CREATE TABLE counters (
  hour_at BIGINT NOT NULL,
  kind TEXT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (hour_at, kind)
);

-- Who answers for it, how they are reached, and what it says it can do; NULL until it was asked.
ALTER TABLE peers ADD COLUMN told_json TEXT;
-- The fingerprint it showed last, where nobody has compared that one yet.
ALTER TABLE peers ADD COLUMN offered TEXT;
