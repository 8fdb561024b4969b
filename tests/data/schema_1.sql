BEGIN TRANSACTION;
CREATE TABLE batches (
	id INTEGER NOT NULL, 
	issue_id VARCHAR NOT NULL, 
	owner VARCHAR NOT NULL, 
	boot_id VARCHAR NOT NULL, 
	journal_id VARCHAR NOT NULL, 
	claimed_at DATETIME NOT NULL, 
	lease_until DATETIME NOT NULL, 
	settled_at DATETIME, 
	PRIMARY KEY (id), 
	FOREIGN KEY(issue_id) REFERENCES sends (issue_id)
);
INSERT INTO "batches" VALUES(1,'k3v9q2m8w1zt','process 1 on host, since 2026-07-01 10:00:00 UTC','boot','journal','2026-07-01 10:00:05.442029','2026-07-01 10:15:05.442029','2026-07-01 10:00:05.443771');
INSERT INTO "batches" VALUES(2,'k3v9q2m8w1zt','process 1 on host, since 2026-07-01 10:00:00 UTC','boot','journal','2026-07-01 10:00:05.453978','2026-07-01 10:15:05.453978',NULL);
CREATE TABLE consents (
	id INTEGER NOT NULL, 
	subscriber_id VARCHAR(16) NOT NULL, 
	list VARCHAR NOT NULL, 
	at DATETIME NOT NULL, 
	event VARCHAR NOT NULL, 
	channel VARCHAR NOT NULL, 
	detail TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(subscriber_id) REFERENCES subscribers (id)
);
INSERT INTO "consents" VALUES(1,'za1kb9um2nf8gw2j','main','2026-07-01 10:00:05.427134','added','people.csv','');
INSERT INTO "consents" VALUES(2,'z94l6imkgghynz4w','main','2026-07-01 10:00:05.427134','added','people.csv','');
INSERT INTO "consents" VALUES(3,'q8amyfgqr29ci5cq','main','2026-07-01 10:00:05.427134','added','people.csv','');
INSERT INTO "consents" VALUES(4,'xjsvziql4u4ds8h2','main','2026-07-01 10:00:05.427134','added','people.csv','');
INSERT INTO "consents" VALUES(5,'q128ry8zzxjcroww','main','2026-07-01 10:00:05.427134','added','people.csv','');
INSERT INTO "consents" VALUES(6,'q128ry8zzxjcroww','main','2026-07-01 10:00:05.432329','unsubscribed','manual','');
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
INSERT INTO "deliveries" VALUES(1,'k3v9q2m8w1zt','00000000000000000000000000000001','q8amyfgqr29ci5cq','cy@example.org','Cy','{"subscriber.first_name": "Cy"}',0,0,'accepted','','250 OK','Q1',1,'2026-07-01 10:00:05.443771');
INSERT INTO "deliveries" VALUES(2,'k3v9q2m8w1zt','00000000000000000000000000000002','xjsvziql4u4ds8h2','di@example.org','Di','{"subscriber.first_name": "Di"}',0,0,'uncertain','','no answer','',1,'2026-07-01 10:00:05.443771');
INSERT INTO "deliveries" VALUES(3,'k3v9q2m8w1zt','00000000000000000000000000000003','z94l6imkgghynz4w','bo@example.org','Bo','{"subscriber.first_name": "Bo"}',0,0,'claimed','','','',2,NULL);
INSERT INTO "deliveries" VALUES(4,'k3v9q2m8w1zt','00000000000000000000000000000004','za1kb9um2nf8gw2j','ana@example.org','Ana','{"subscriber.first_name": "Ana"}',0,0,'waiting','','','',NULL,NULL);
CREATE TABLE editions (
	hash VARCHAR(64) NOT NULL, 
	issue_id VARCHAR NOT NULL, 
	body BLOB NOT NULL, 
	PRIMARY KEY (hash)
);
INSERT INTO "editions" VALUES('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','k3v9q2m8w1zt',X'7468652065646974696F6E');
CREATE TABLE meta (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema_version','1');
CREATE TABLE sends (
	issue_id VARCHAR NOT NULL, 
	edition_hash VARCHAR(64) NOT NULL, 
	list VARCHAR NOT NULL, 
	provider VARCHAR NOT NULL, 
	audience_digest VARCHAR(64) NOT NULL, 
	settings_digest VARCHAR(64) NOT NULL, 
	frozen_at DATETIME NOT NULL, 
	cancelled_at DATETIME, 
	PRIMARY KEY (issue_id), 
	FOREIGN KEY(edition_hash) REFERENCES editions (hash)
);
INSERT INTO "sends" VALUES('k3v9q2m8w1zt','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','main','outbox','745d993d0e33e2b21c98db388266e07eb328bb93a41b3e3b9d839868abf5a665','5555555555555555555555555555555555555555555555555555555555555555','2026-07-01 10:00:05.436162',NULL);
CREATE TABLE subscribers (
	id VARCHAR(16) NOT NULL, 
	address_key VARCHAR NOT NULL, 
	email VARCHAR NOT NULL, 
	first_name VARCHAR NOT NULL, 
	last_name VARCHAR NOT NULL, 
	tags JSON NOT NULL, 
	fields JSON NOT NULL, 
	barred VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (address_key)
);
INSERT INTO "subscribers" VALUES('za1kb9um2nf8gw2j','ana@example.org','ana@example.org','Ana','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('z94l6imkgghynz4w','bo@example.org','bo@example.org','Bo','','["pro"]','{}',NULL);
INSERT INTO "subscribers" VALUES('q8amyfgqr29ci5cq','cy@example.org','cy@example.org','Cy','','[]','{"city": "K\u00f6ln"}',NULL);
INSERT INTO "subscribers" VALUES('xjsvziql4u4ds8h2','di@example.org','di@example.org','Di','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('q128ry8zzxjcroww','el@example.org','el@example.org','El','','[]','{}',NULL);
CREATE TABLE subscriptions (
	list VARCHAR NOT NULL, 
	subscriber_id VARCHAR(16) NOT NULL, 
	state VARCHAR NOT NULL, 
	joined DATETIME NOT NULL, 
	PRIMARY KEY (list, subscriber_id), 
	FOREIGN KEY(subscriber_id) REFERENCES subscribers (id)
);
INSERT INTO "subscriptions" VALUES('main','za1kb9um2nf8gw2j','active','2026-07-01 10:00:05.426532');
INSERT INTO "subscriptions" VALUES('main','z94l6imkgghynz4w','active','2026-07-01 10:00:05.426532');
INSERT INTO "subscriptions" VALUES('main','q8amyfgqr29ci5cq','active','2026-07-01 10:00:05.426532');
INSERT INTO "subscriptions" VALUES('main','xjsvziql4u4ds8h2','active','2026-07-01 10:00:05.426532');
INSERT INTO "subscriptions" VALUES('main','q128ry8zzxjcroww','unsubscribed','2026-07-01 10:00:05.426532');
CREATE INDEX ix_consents_subscriber_id ON consents (subscriber_id);
CREATE INDEX batches_open ON batches (issue_id, settled_at);
CREATE INDEX deliveries_by_state ON deliveries (issue_id, state, reason, seq);
CREATE INDEX ix_deliveries_batch_id ON deliveries (batch_id);
COMMIT;
