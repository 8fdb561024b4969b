-- What a database of schema version 3 was in version 2, with everybody waiting.
CREATE TABLE deliveries (
	seq INTEGER NOT NULL, 
	issue_id VARCHAR NOT NULL, 
	recipient_key VARCHAR(32) NOT NULL, 
	subscriber_id VARCHAR(16) NOT NULL, 
	address VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	"values" JSON NOT NULL, 
	audience INTEGER NOT NULL, 
	subject INTEGER NOT NULL, 
	state VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	detail TEXT NOT NULL, 
	provider_id VARCHAR NOT NULL, 
	batch_id INTEGER, 
	settled_at DATETIME, 
	PRIMARY KEY (seq), 
	UNIQUE (issue_id, recipient_key), 
	FOREIGN KEY(issue_id) REFERENCES sends (issue_id), 
	FOREIGN KEY(batch_id) REFERENCES batches (id)
);
INSERT INTO deliveries SELECT seq, issue_id, recipient_key, subscriber_id, address, name, "values", audience, subject, 'waiting', '', '', '', NULL, NULL FROM recipients;
DROP TABLE recipients;
DROP TABLE outcomes;
DROP TABLE handovers;
ALTER TABLE batches DROP COLUMN first;
ALTER TABLE batches DROP COLUMN last;
ALTER TABLE batches DROP COLUMN seqs;
ALTER TABLE sends DROP COLUMN first;
ALTER TABLE sends DROP COLUMN last;
ALTER TABLE sends DROP COLUMN selected;
DROP INDEX subscribers_barred;
UPDATE alembic_version SET version_num = '0002';
