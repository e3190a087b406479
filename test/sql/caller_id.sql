-- The caller-id layer: what caller id fields really contain.
SET search_path = callsync, public;
\pset null '(null)'

-- numbers in every wrapping
SELECT raw, region, c.* FROM (VALUES
	(1, '+1 (212) 555-0147', NULL), (2, '(212) 555-0147', 'US'), (3, '2125550147', NULL),
	(4, 'sip:+12125550147@10.1.2.3:5060;user=phone', NULL), (5, '<sips:+12125550147@host>;tag=abc123', NULL),
	(6, '"Bob \"the\" Smith" <sip:+493012345678@example.com;transport=udp>', NULL), (7, 'Bob <+4930123456>', NULL),
	(8, 'tel:+1-212-555-0147;ext=12', NULL), (9, 'tel:555-0147;phone-context=+1212', NULL), (10, 'tel:+12125550147;npdi;rn=+12125550100', NULL),
	(11, 'P-Asserted-Identity: "Bob" <sip:+12125550147@trunk.example.net>', NULL),
	(12, 'P-Asserted-Identity: <sip:alice@example.net>, <tel:+12125550147>', NULL),
	(13, 'Remote-Party-ID: "Bob" <sip:2125550147@10.0.0.1>;party=calling;screen=yes;privacy=off', 'US'),
	(14, 'sip:2125550147:secret@10.0.0.1', 'US'), (15, 'sip:%2B12125550147@host', NULL), (16, '%2B12125550147', NULL),
	(17, 'sip:12125550147@10.0.0.1;user=phone', NULL), (18, '"+1 212 555 0147" <sip:alice@example.com>', NULL),
	(19, '"UNKNOWN" <sip:+12125550147@host>', NULL), (20, 'whatsapp:+4915228817386', NULL), (21, '4915228817386@s.whatsapp.net', NULL),
	(22, '4915228817386', 'US'), (23, '1-800-FLOWERS', 'US'), (24, 'Tel.: 030 123456', 'DE'), (25, '212-555-0147 ext. 7', 'US'),
	(26, '212-555-0147 x٣٤', 'US'), (27, '''+12125550147''', NULL)
) AS v(n, raw, region), caller_id(raw, region) c ORDER BY n;

-- withheld, in words, URIs and digits
SELECT raw, c.kind, c.phone, c.detail FROM (VALUES
	(1, 'anonymous'), (2, 'Anonymous'), (3, 'PRIVATE CALLER'), (4, 'Restricted'), (5, 'Caller ID blocked'), (6, 'No Caller ID'),
	(7, 'unknown'), (8, 'Unavailable'), (9, 'OUT OF AREA'), (10, 'sip:anonymous@anonymous.invalid'),
	(11, '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1'), (12, '"Anonymous" <sip:+12125550147@host>'),
	(13, '<sip:restricted@10.0.0.1>'), (14, 'Remote-Party-ID: "x" <sip:2125550147@h>;party=calling;privacy=full'),
	(15, 'Privacy: id'), (16, '+266696687'), (17, '266696687'), (18, '+7378742833'), (19, '+2562533'), (20, '+8656696'),
	(21, '+86282452253'), (22, '+1266696687'), (23, '0000000000'), (24, '+10000000000'), (25, 'Unterdrückt'), (26, 'Numéro masqué'),
	(27, 'Número privado'), (28, 'NÚMERO OCULTO'), (29, 'Sconosciuto'), (30, 'Onbekend'), (31, 'Hemligt nummer'), (32, 'Номер скрыт'),
	(33, '非通知'), (34, '발신번호표시제한'), (35, '未知号码'), (36, 'رقم خاص'), (37, 'חסוי'), (38, 'Απόρρητος αριθμός'), (39, 'Gizli Numara'),
	(40, 'Ａｎｏｎｙｍｏｕｓ'), (41, '"Unknown" <>'), (42, 'tel:anonymous'), (43, '+Anonymous')
) AS v(n, raw), caller_id(raw, NULL) c ORDER BY n;
-- digits that spell a word and are a number all the same stay a number
SELECT raw, region, c.kind, c.phone FROM (VALUES ('7378742833', 'US'), ('266696687', 'PL')) AS v(raw, region), caller_id(raw, region) c;

-- short codes, emergency, service codes
SELECT raw, region, c.kind, c.phone, c.detail FROM (VALUES
	(1, '911', 'US'), (2, '9-1-1', 'US'), (3, '112', NULL), (4, '112', 'DE'), (5, '999', 'GB'), (6, '999', 'US'), (7, '411', 'US'),
	(8, '116117', 'DE'), (9, '20566', 'US'), (10, '*67', 'US'), (11, '*67 212 555 0147', 'US'), (12, '*672125550147', 'US'),
	(13, '#31#0301234567', 'DE'), (14, '*31#+493012345678', NULL), (15, '141 020 7946 0018', 'GB'), (16, '184-03-1234-5678', 'JP'),
	(17, 'sip:*98@pbx', 'US'), (18, '12345', 'GN'), (19, '+911', 'US')
) AS v(n, raw, region), caller_id(raw, region) c ORDER BY n;

-- test ranges
SELECT raw, c.kind, c.test_range, phone_is_valid(c.phone) AS valid FROM (VALUES
	(1, '+12125550100'), (2, '+12125550199'), (3, '+12125550200'), (4, '+12125551212'), (5, '+442079460018'), (6, '+442079461018'),
	(7, '+447700900123'), (8, '+442896496123'), (9, '+61255501234'), (10, '+61491570156'), (11, '+61491570155'), (12, '+353209123456'),
	(13, '+4915228817386'), (14, '+493023125123'), (15, '+33199001234'), (16, '+46846500400')
) AS v(n, raw), caller_id(raw) c ORDER BY n;

-- two numbers, chat ids, junk
SELECT raw, region, c.kind, c.phone, c.detail FROM (VALUES
	(1, '510-555-0100 or 510-555-0101', 'US'), (2, '5105550100 / 5105550101', 'US'), (3, '+15105550100; +15105550101', NULL),
	(4, 'n/a, 5105550101', 'US'), (5, '510-555-0100, 510-555-0101, 510-555-0102', 'US'), (6, '030 1234567 und 030 7654321', 'DE'),
	(7, 'messenger:24155550100123', 'US'), (8, 'client:alice', 'US'), (9, 'client:12125550147', 'US'), (10, '@bob', 'US'),
	(11, 'bob@example.com', 'US'), (12, '120363025246125486@g.us', 'US'), (13, 'CA93af0123bc4567de8901', 'US'), (14, 'user4155550142', 'US'),
	(15, '', 'US'), (16, '   ', 'US'), (17, 'hello', 'US'), (18, '12', 'US'), (19, '555-0147', 'US'), (20, '+1234567890123456789012', 'US'),
	(21, 'sip:', 'US'), (22, '<>', 'US'), (23, 'sip:alice@example.com', 'US'), (24, '5555551234567890123', 'US'), (25, repeat('1', 1025), 'US')
) AS v(n, raw, region), LATERAL (SELECT (caller_id(raw, region)).*) c WHERE n < 25
UNION ALL SELECT 'long', 'US', kind, phone, detail FROM caller_id(repeat('1', 1025), 'US');

SELECT raw, region, c.kind, c.phone, c.detail FROM (VALUES
	(1, '(212) 555-0147 (home) (312) 555-0188 (cell)', 'US'), (2, '2125550147 3125550188', 'US'), (3, '212-555-0147/48', 'US'),
	(4, '2125550147#', 'US'), (5, '**21*+493012345678#', 'DE'), (6, 'cell 212-555-0147 office 312-555-0188', 'US'),
	(7, '+12125550147 +13125550188', NULL), (8, 'Unbekannter Teilnehmer', 'DE'), (9, 'tel:911', 'US'), (10, 'wxid_1234567890', 'US'),
	(11, '550e8400-e29b-41d4-a716-446655440000', 'US'), (12, 'whatsapp:4915228817386', NULL), (13, '2125550147@vtext.com', 'US'),
	(14, 'sip:192.168.1.10', 'US'), (15, 'home 020 7946 0018, work 020 7946 0019', 'GB'), (16, '030 1234567 Büro', 'DE'),
	(17, '12 34 56 78 90', 'US'), (18, '### *** ###', 'US'), (19, 'discord:bob#1234', 'US')
) AS v(n, raw, region), caller_id(raw, region) c ORDER BY n;

-- NULL, and a phone instead of a text
SELECT caller_id(NULL::text), caller_id(NULL::text, 'US'), (caller_id('+12125550147', NULL)).kind;
SELECT * FROM caller_id('+12125550147'::phone);

-- the same line?
SELECT a, b, region, same_caller(a, b, region) FROM (VALUES
	(1, '(212) 555-0147', '+12125550147', 'US'), (2, '212 555 0147', '+1 212 555 0147', NULL), (3, '0170 1234567', '+49 170 1234567', NULL),
	(4, '00491701234567', '+491701234567', NULL), (5, '5550147', '+12125550147', NULL), (6, '5550147', '5550147', NULL),
	(7, '+12125550147', '+12125550148', NULL), (8, '212-555-0147 x1', '212-555-0147 x2', 'US'), (9, '212-555-0147 x1', '212-555-0147', 'US'),
	(10, 'anonymous', 'anonymous', NULL), (11, '911', '911', 'US'), (12, 'sip:+12125550147@a', 'tel:+1-212-555-0147', NULL),
	(13, NULL, '+12125550147', NULL), (14, '030 12345678', '+4930 12345678', 'DE'), (15, '2125550147', '3125550147', NULL),
	(16, '+41790123456', '0790123456', 'DE')
) AS v(n, a, b, region) ORDER BY n;
SELECT same_caller('+12125550147'::phone, '+12125550147'::phone), same_caller('+12125550147'::phone, NULL::phone);
SELECT same_caller('+12125550147'::phone, '(212) 555-0147'::text, 'US'), same_caller('(212) 555-0147'::text, '+12125550147'::phone, 'US'), same_caller('+12125550147', '+1 212 555 0147');
SELECT to_phone('+12125550147'::phone), try_phone('+12125550147'::phone), to_phone('+1 212 555 0147'), (phone_parse('+12125550147'::phone)).type, (phone_parse('+1 212 555 0147')).e164;
