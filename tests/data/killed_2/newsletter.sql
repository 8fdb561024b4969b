BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
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
INSERT INTO "batches" VALUES(1,'k3v9q2m8w1zt','process 8444 on host, since 2026-11-23 15:07:17 UTC','boot','77fb8493a0e5690031df3c4a56f7ccd6','2026-11-23 15:07:17.491147','2026-11-23 15:22:17.491147',NULL);
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
INSERT INTO "consents" VALUES(1,'7u9q8fofn7h8qlzf','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(2,'jxilnex4wh94z4vg','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(3,'bz53cdv3ellqdw1x','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(4,'pn00efzyeb0r1k95','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(5,'lvg6k888veyte6wp','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(6,'zu4gxxc6pc03ogj3','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(7,'1qqrx07rpwcwfauc','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(8,'erf10ea38jelzraj','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(9,'eupdrd92qr2fqm6h','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(10,'7ru40x0vs0q1s74b','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(11,'2guj7ee7dxm75qpg','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(12,'x5zy6jrl1vxdjrgz','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(13,'y7dw87eq3kqtq1li','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(14,'b4dhn2sejd8wnmdj','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(15,'jlcgsx23xm7dq3vw','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(16,'afimcmqdkpjxatao','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(17,'fkm4afh1z4pc7cs4','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(18,'jfk8m6q2bio6ehko','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(19,'eaty7pwxx81l4dul','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(20,'o4ii88staubt1ijm','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(21,'t91o4wmnethktzlv','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(22,'dd3uwyfursvoh6zx','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(23,'p0gn2457mfid23ni','main','2026-11-23 15:07:15.886902','added','test','');
INSERT INTO "consents" VALUES(24,'iqs7w0ydl2odkv8s','main','2026-11-23 15:07:15.886902','added','test','');
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
INSERT INTO "deliveries" VALUES(1,'k3v9q2m8w1zt','43636025f537ae2e2f700bc097550de2','1qqrx07rpwcwfauc','reader6@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXwxcXFyeDA3cnB3Y3dmYXVjfG1haW58.9G7OWcu1USi_z5o5xNDgAg", "links.preferences": "https://news.example.org/preferences/a.cHwxcXFyeDA3cnB3Y3dmYXVjfG1haW58.J6qFiNUDYEvnsYvUdOQMLA"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(2,'k3v9q2m8w1zt','92cdcaba02580feb7df27062be4bcbf2','2guj7ee7dxm75qpg','reader10@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXwyZ3VqN2VlN2R4bTc1cXBnfG1haW58.Zpr7gECmIjKw1dgSAa4v-w", "links.preferences": "https://news.example.org/preferences/a.cHwyZ3VqN2VlN2R4bTc1cXBnfG1haW58.8HrLo7A1Dnty35F3d6CkTA"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(3,'k3v9q2m8w1zt','a1334c03e39a4d3755b191cf1b216607','7ru40x0vs0q1s74b','reader9@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXw3cnU0MHgwdnMwcTFzNzRifG1haW58.JK6UWDOcsHg37XCIclEIFw", "links.preferences": "https://news.example.org/preferences/a.cHw3cnU0MHgwdnMwcTFzNzRifG1haW58.73NozWatkEnab0gcgICS2g"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(4,'k3v9q2m8w1zt','00698b8c153b392e4f566717e006ad0f','7u9q8fofn7h8qlzf','reader0@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXw3dTlxOGZvZm43aDhxbHpmfG1haW58.K-AdBsVZAJvjw1ZtPgUO7Q", "links.preferences": "https://news.example.org/preferences/a.cHw3dTlxOGZvZm43aDhxbHpmfG1haW58.K9rbP5zSWb0m6KlT8YbfWQ"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(5,'k3v9q2m8w1zt','dfd9827ef53597158b84ee9a5b68dac4','afimcmqdkpjxatao','reader15@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxhZmltY21xZGtwanhhdGFvfG1haW58.SG8hklRgQzGWGR2qUDnD_Q", "links.preferences": "https://news.example.org/preferences/a.cHxhZmltY21xZGtwanhhdGFvfG1haW58.SCEfcMeQ0bMDKRlsTlRGRQ"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(6,'k3v9q2m8w1zt','4a8d690f126010047513dde33a9715cd','b4dhn2sejd8wnmdj','reader13@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxiNGRobjJzZWpkOHdubWRqfG1haW58.jJPUjv1xDDhTbhrarhCLzg", "links.preferences": "https://news.example.org/preferences/a.cHxiNGRobjJzZWpkOHdubWRqfG1haW58.BT-GmWOgV_sDsjQa9M5N0g"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(7,'k3v9q2m8w1zt','3d3e4320a83748ad189a8eaeea06df4f','bz53cdv3ellqdw1x','reader2@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxiejUzY2R2M2VsbHFkdzF4fG1haW58.tkvqioOMBhskQfTOBMkL7g", "links.preferences": "https://news.example.org/preferences/a.cHxiejUzY2R2M2VsbHFkdzF4fG1haW58.SIw0fkuR1LxMX7_M523Kug"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(8,'k3v9q2m8w1zt','52488eb5350432c2702806c32db59344','dd3uwyfursvoh6zx','reader21@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxkZDN1d3lmdXJzdm9oNnp4fG1haW58.F9vD0xj_OIek68QjXQLKYw", "links.preferences": "https://news.example.org/preferences/a.cHxkZDN1d3lmdXJzdm9oNnp4fG1haW58.6My-SGUElWu2gDmubbYVZg"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(9,'k3v9q2m8w1zt','05eea2cb42e27bd933badc013f20b269','eaty7pwxx81l4dul','reader18@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxlYXR5N3B3eHg4MWw0ZHVsfG1haW58.nwQuZWwbRjRRvUIduRoEqw", "links.preferences": "https://news.example.org/preferences/a.cHxlYXR5N3B3eHg4MWw0ZHVsfG1haW58.a17CqSRXDRhx_EfLoOSRmg"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(10,'k3v9q2m8w1zt','79b647a03c4713ef858554a3d8e95724','erf10ea38jelzraj','reader7@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxlcmYxMGVhMzhqZWx6cmFqfG1haW58.p8DH8iVkIAbpZuyqCTA16g", "links.preferences": "https://news.example.org/preferences/a.cHxlcmYxMGVhMzhqZWx6cmFqfG1haW58.7xxmX3RHajn9GdXWmJd6Dg"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(11,'k3v9q2m8w1zt','5d80acfd0a66db205b10bcee78334859','eupdrd92qr2fqm6h','reader8@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxldXBkcmQ5MnFyMmZxbTZofG1haW58.STTlgeTT5EhNZtZRJMnjJw", "links.preferences": "https://news.example.org/preferences/a.cHxldXBkcmQ5MnFyMmZxbTZofG1haW58.6dYhY71b6QppSArAIslWFA"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(12,'k3v9q2m8w1zt','9a20d12bdc2f95caabf7846d64230ca2','fkm4afh1z4pc7cs4','reader16@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxma200YWZoMXo0cGM3Y3M0fG1haW58.MUn4HpTpqi85SdDUpdfFNQ", "links.preferences": "https://news.example.org/preferences/a.cHxma200YWZoMXo0cGM3Y3M0fG1haW58.6kBwtVS_QdCig0uxuRpDHA"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(13,'k3v9q2m8w1zt','b49ab34aa7e18dfdd1cc25859cf0ac76','iqs7w0ydl2odkv8s','reader23@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxpcXM3dzB5ZGwyb2RrdjhzfG1haW58.p8Q9gEkjISId_7HJcHThTw", "links.preferences": "https://news.example.org/preferences/a.cHxpcXM3dzB5ZGwyb2RrdjhzfG1haW58.T6G1Q8FG_axfbV90cNwJag"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(14,'k3v9q2m8w1zt','7f2fe57cd8661a9672d19d5a0358b70f','jfk8m6q2bio6ehko','reader17@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxqZms4bTZxMmJpbzZlaGtvfG1haW58.I-7aXo1q432CogkqcGkF0g", "links.preferences": "https://news.example.org/preferences/a.cHxqZms4bTZxMmJpbzZlaGtvfG1haW58.pNKZrLr4BKJh-qvgGOUezg"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(15,'k3v9q2m8w1zt','7900a793e4a218f81457a76c3e337359','jlcgsx23xm7dq3vw','reader14@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxqbGNnc3gyM3htN2RxM3Z3fG1haW58.SEXxLa3FTLV0-n2gKteX9w", "links.preferences": "https://news.example.org/preferences/a.cHxqbGNnc3gyM3htN2RxM3Z3fG1haW58.bq70L6r-Fqats7vg_TS-kQ"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(16,'k3v9q2m8w1zt','fef6d721de3f4cef996106f5358136eb','jxilnex4wh94z4vg','reader1@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxqeGlsbmV4NHdoOTR6NHZnfG1haW58.gJ408hKKwxc4Svxvguaq4w", "links.preferences": "https://news.example.org/preferences/a.cHxqeGlsbmV4NHdoOTR6NHZnfG1haW58.SQ1qbR3GcEfSPlQ-2tqQOg"}',0,0,'claimed','','','',1,NULL);
INSERT INTO "deliveries" VALUES(17,'k3v9q2m8w1zt','c1809bc31f91d819a1a9b3f85f39f71f','lvg6k888veyte6wp','reader4@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxsdmc2azg4OHZleXRlNndwfG1haW58.MZrYiO8pBRrZRTe5oUobyw", "links.preferences": "https://news.example.org/preferences/a.cHxsdmc2azg4OHZleXRlNndwfG1haW58.QUoltGPNTMJ7V6ZUO654wQ"}',0,0,'waiting','','','',NULL,NULL);
INSERT INTO "deliveries" VALUES(18,'k3v9q2m8w1zt','66235a54e7424ad36fb648e58163ed99','o4ii88staubt1ijm','reader19@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxvNGlpODhzdGF1YnQxaWptfG1haW58.-03F3Jrf2V0-MohJ-uPE2A", "links.preferences": "https://news.example.org/preferences/a.cHxvNGlpODhzdGF1YnQxaWptfG1haW58.nIhjJy6WnUibJGsphzwpEA"}',0,0,'waiting','','','',NULL,NULL);
INSERT INTO "deliveries" VALUES(19,'k3v9q2m8w1zt','8590fa4a2eea4211b605276b63bc0568','p0gn2457mfid23ni','reader22@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxwMGduMjQ1N21maWQyM25pfG1haW58.KBSMh6BAR_zoHCVofSc8IQ", "links.preferences": "https://news.example.org/preferences/a.cHxwMGduMjQ1N21maWQyM25pfG1haW58.C1QcFAJtqAgWUpbbNkh9eA"}',0,0,'waiting','','','',NULL,NULL);
INSERT INTO "deliveries" VALUES(20,'k3v9q2m8w1zt','8946c71ee6ad6f6e953026dd410cdcde','pn00efzyeb0r1k95','reader3@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXxwbjAwZWZ6eWViMHIxazk1fG1haW58.UmEt-gDZYeb-dTDSL19jkw", "links.preferences": "https://news.example.org/preferences/a.cHxwbjAwZWZ6eWViMHIxazk1fG1haW58.fVRWXwJK2e3auZlmUgnSUw"}',0,0,'waiting','','','',NULL,NULL);
INSERT INTO "deliveries" VALUES(21,'k3v9q2m8w1zt','6a6fe8e48911aeff712aa85275f94c8e','t91o4wmnethktzlv','reader20@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXx0OTFvNHdtbmV0aGt0emx2fG1haW58.H_oE0esoGifAybW7hzBe4g", "links.preferences": "https://news.example.org/preferences/a.cHx0OTFvNHdtbmV0aGt0emx2fG1haW58.U0AllOafyiFueshePSQMog"}',0,0,'waiting','','','',NULL,NULL);
INSERT INTO "deliveries" VALUES(22,'k3v9q2m8w1zt','f8e32c840e788e90a64f46175fc7148f','x5zy6jrl1vxdjrgz','reader11@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXx4NXp5NmpybDF2eGRqcmd6fG1haW58.GewftXd9A-XozxIDcCmT9g", "links.preferences": "https://news.example.org/preferences/a.cHx4NXp5NmpybDF2eGRqcmd6fG1haW58._mIfC3Wn-x7G5x5GxV17Nw"}',0,0,'waiting','','','',NULL,NULL);
INSERT INTO "deliveries" VALUES(23,'k3v9q2m8w1zt','9b09ec04c84b6fa0cc490a3f04130832','y7dw87eq3kqtq1li','reader12@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXx5N2R3ODdlcTNrcXRxMWxpfG1haW58.aEg2T_HIfhg71RJ6iXU6aA", "links.preferences": "https://news.example.org/preferences/a.cHx5N2R3ODdlcTNrcXRxMWxpfG1haW58.qlczRNxGj_CBvDTX-mOnpg"}',0,0,'waiting','','','',NULL,NULL);
INSERT INTO "deliveries" VALUES(24,'k3v9q2m8w1zt','7ce366bf5587a2ee127dceb3c74dc3d3','zu4gxxc6pc03ogj3','reader5@example.org','','{"links.unsubscribe": "https://news.example.org/unsubscribe/a.dXx6dTRneHhjNnBjMDNvZ2ozfG1haW58.tW11BsocQQzgUDF6g9cPSA", "links.preferences": "https://news.example.org/preferences/a.cHx6dTRneHhjNnBjMDNvZ2ozfG1haW58.ZXtk54-7B7Kva8vyGrzNMw"}',0,0,'waiting','','','',NULL,NULL);
CREATE TABLE editions (
	hash VARCHAR(64) NOT NULL, 
	issue_id VARCHAR NOT NULL, 
	body BLOB NOT NULL, 
	PRIMARY KEY (hash)
);
INSERT INTO "editions" VALUES('5ef9171974166ad650ecf2042ce3ec215a28eb5e07a91c6b853eb32388de97fc','k3v9q2m8w1zt',X'7B2269737375655F6964223A226B33763971326D3877317A74222C22736C7567223A223132362D6E657773222C226E756D626572223A3132362C227469746C65223A224E657773222C226C697374223A226D61696E222C227375626A65637473223A5B7B226C69746572616C73223A5B224E657773225D2C22736C6F7473223A5B5D7D5D2C22707265686561646572223A7B226C69746572616C73223A5B22225D2C22736C6F7473223A5B5D7D2C2268656164657273223A7B2273656E646572223A224A6F204B696D203C6A6F406E6577732E6578616D706C652E6F72673E222C227265706C795F746F223A6E756C6C2C226C6973745F6964223A224E657773203C6D61696E2E6E6577732E6578616D706C652E6F72673E222C2261726368697665223A2268747470733A2F2F6E6577732E6578616D706C652E6F72672F3132362F222C22666565646261636B5F6964223A223132363A6D61696E3A6E6577733A6578616D706C65227D2C2276617269616E7473223A5B7B22636F6E646974696F6E73223A5B5D2C2268746D6C223A7B226C69746572616C73223A5B223C703E576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E203C2F703E3C6120687265663D5C22222C225C223E556E7375627363726962653C2F613E225D2C22736C6F7473223A5B7B226E616D65223A226C696E6B732E756E737562736372696265222C2264656661756C74223A6E756C6C2C22656E636F64696E67223A2274222C226C656164223A22227D5D7D2C2274657874223A7B226C69746572616C73223A5B22576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E20576861742068617070656E65642074686973207765656B2E205C6E5C6E556E7375627363726962653A20222C225C6E225D2C22736C6F7473223A5B7B226E616D65223A226C696E6B732E756E737562736372696265222C2264656661756C74223A6E756C6C2C22656E636F64696E67223A2274222C226C656164223A22227D5D7D7D5D2C22617373657473223A5B5D2C22656E636C6F736564223A5B5D2C227061676573223A5B5D2C2266616374735F75736564223A5B5D2C22636F6E74656E745F646967657374223A2230303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030222C226D6A6D6C223A22222C2268617368223A2235656639313731393734313636616436353065636632303432636533656332313561323865623565303761393163366238353365623332333838646539376663227D');
CREATE TABLE meta (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema_version','2');
CREATE TABLE sends (
	issue_id VARCHAR NOT NULL, 
	edition_hash VARCHAR(64) NOT NULL, 
	list VARCHAR NOT NULL, 
	provider VARCHAR NOT NULL, 
	audience_digest VARCHAR(64) NOT NULL, 
	settings_digest VARCHAR(64) NOT NULL, 
	frozen_at DATETIME NOT NULL, 
	cancelled_at DATETIME, 
	settings JSON, 
	PRIMARY KEY (issue_id), 
	FOREIGN KEY(edition_hash) REFERENCES editions (hash)
);
INSERT INTO "sends" VALUES('k3v9q2m8w1zt','5ef9171974166ad650ecf2042ce3ec215a28eb5e07a91c6b853eb32388de97fc','main','outbox','7218acc792c17b55701c6847ef977431f6e6a22a3518ab02bc6538160a1f10ac','6e44b524b437464158e79bf6d334a2b524cec73ef7768b39aedbb1c9cdcbc50d','2026-11-23 15:07:17.414413',NULL,'{"sender": "jo@example.org", "public_url": "https://news.example.org", "options": {}}');
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
INSERT INTO "subscribers" VALUES('7u9q8fofn7h8qlzf','reader0@example.org','reader0@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('jxilnex4wh94z4vg','reader1@example.org','reader1@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('bz53cdv3ellqdw1x','reader2@example.org','reader2@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('pn00efzyeb0r1k95','reader3@example.org','reader3@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('lvg6k888veyte6wp','reader4@example.org','reader4@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('zu4gxxc6pc03ogj3','reader5@example.org','reader5@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('1qqrx07rpwcwfauc','reader6@example.org','reader6@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('erf10ea38jelzraj','reader7@example.org','reader7@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('eupdrd92qr2fqm6h','reader8@example.org','reader8@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('7ru40x0vs0q1s74b','reader9@example.org','reader9@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('2guj7ee7dxm75qpg','reader10@example.org','reader10@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('x5zy6jrl1vxdjrgz','reader11@example.org','reader11@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('y7dw87eq3kqtq1li','reader12@example.org','reader12@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('b4dhn2sejd8wnmdj','reader13@example.org','reader13@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('jlcgsx23xm7dq3vw','reader14@example.org','reader14@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('afimcmqdkpjxatao','reader15@example.org','reader15@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('fkm4afh1z4pc7cs4','reader16@example.org','reader16@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('jfk8m6q2bio6ehko','reader17@example.org','reader17@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('eaty7pwxx81l4dul','reader18@example.org','reader18@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('o4ii88staubt1ijm','reader19@example.org','reader19@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('t91o4wmnethktzlv','reader20@example.org','reader20@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('dd3uwyfursvoh6zx','reader21@example.org','reader21@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('p0gn2457mfid23ni','reader22@example.org','reader22@example.org','','','[]','{}',NULL);
INSERT INTO "subscribers" VALUES('iqs7w0ydl2odkv8s','reader23@example.org','reader23@example.org','','','[]','{}',NULL);
CREATE TABLE subscriptions (
	list VARCHAR NOT NULL, 
	subscriber_id VARCHAR(16) NOT NULL, 
	state VARCHAR NOT NULL, 
	joined DATETIME NOT NULL, 
	PRIMARY KEY (list, subscriber_id), 
	FOREIGN KEY(subscriber_id) REFERENCES subscribers (id)
);
INSERT INTO "subscriptions" VALUES('main','7u9q8fofn7h8qlzf','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','jxilnex4wh94z4vg','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','bz53cdv3ellqdw1x','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','pn00efzyeb0r1k95','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','lvg6k888veyte6wp','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','zu4gxxc6pc03ogj3','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','1qqrx07rpwcwfauc','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','erf10ea38jelzraj','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','eupdrd92qr2fqm6h','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','7ru40x0vs0q1s74b','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','2guj7ee7dxm75qpg','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','x5zy6jrl1vxdjrgz','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','y7dw87eq3kqtq1li','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','b4dhn2sejd8wnmdj','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','jlcgsx23xm7dq3vw','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','afimcmqdkpjxatao','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','fkm4afh1z4pc7cs4','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','jfk8m6q2bio6ehko','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','eaty7pwxx81l4dul','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','o4ii88staubt1ijm','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','t91o4wmnethktzlv','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','dd3uwyfursvoh6zx','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','p0gn2457mfid23ni','active','2026-11-23 15:07:15.886138');
INSERT INTO "subscriptions" VALUES('main','iqs7w0ydl2odkv8s','active','2026-11-23 15:07:15.886138');
CREATE INDEX ix_consents_subscriber_id ON consents (subscriber_id);
CREATE INDEX batches_open ON batches (issue_id, settled_at);
CREATE INDEX deliveries_by_state ON deliveries (issue_id, state, reason, seq);
CREATE INDEX ix_deliveries_batch_id ON deliveries (batch_id);
COMMIT;
