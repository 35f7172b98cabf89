-- Pieces taken, versions passed, events: all three must be the same.
SELECT (SELECT sum(:stock - qty) FROM level), (SELECT sum(version - 1) FROM level), (SELECT count(*) FROM event);
