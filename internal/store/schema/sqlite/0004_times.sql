-- For what happened since a time, and on each day.

CREATE INDEX attempts_ended ON attempts (ended_at);
CREATE INDEX gists_noticed ON gists (noticed_at);
