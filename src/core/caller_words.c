/*
 * caller_words.c
 *		Words for withheld and unknown callers, in the spellings of phones, switches,
 *		voice platforms and many languages, and what they become on a keypad.
 *
 * Phrases are written as callsync_caller_fold() leaves them. English is composed: any
 * text of the words below that has a telling one among them counts ("private caller",
 * "caller ID blocked"), so that not each combination needs a line.
 */
#include <stdint.h>
#include <string.h>

#include "core/caller_words.h"
#include "core/phone_internal.h"

/* Telling words of English. */
static const char *const private_words[] = {
	"anonymous", "anonymously", "anon", "private", "restricted", "blocked", "withheld", "hidden", "secret", "suppressed",
	"confidential", "concealed", "masked", "unlisted", "protected", "undisclosed", "incognito", NULL
};
static const char *const unavailable_words[] = {
	"unknown", "unavailable", "unidentified", "unrecognized", "unrecognised", "unspecified", "payphone", NULL
};

/* Words that say nothing on their own. */
static const char *const filler_words[] = {
	"caller", "callers", "call", "callerid", "number", "no", "num", "id", "cid", "cli", "clid", "ani", "name", "phone", "line",
	"party", "user", "is", "the", "by", "of", "an", "a", "telephone", "tel", "calling", "source", "subscriber", "customer",
	"request", "requested", "withheldnumber", "contact", "person", "and", "presentation", "identity", NULL
};

/* Whole phrases: of English where composition does not reach, and other languages. */
static const char *const private_phrases[] = {
	"nocallerid", "nocaller", "nocid", "noid", "callerwithheld", "idwithheld", "numberwithheld", "privatenumber", "privatecaller",
	"anonymouscaller", "anonymousinvalid", "anonymousanonymousinvalid", "clir", "p",
	/* German */
	"anonym", "anonymer", "anonymeranrufer", "anonymeranruf", "unterdruckt", "unterdrueckt", "rufnummerunterdruckt",
	"rufnummerunterdrueckt", "nummerunterdruckt", "nummerunterdrueckt", "unterdrucktenummer", "unterdrucktenummern", "privat",
	"privatenummer", "privaternummer", "privatnummer", "verborgen", "verborgenenummer", "geheimnummer", "geheim",
	"unterdruckterufnummer", "anonymerteilnehmer", "teilnehmeranonym", "rufnummerverborgen", "unterdrueckterufnummer", "keineanruferid",
	/* French */
	"anonyme", "appelanonyme", "numeroanonyme", "masque", "numeromasque", "appelmasque", "nomasque", "prive", "privee",
	"numeroprive", "appelprive", "cache", "numerocache", "confidentiel", "numeroconfidentiel", "secretpermanent", "numerosecret",
	"appelantanonyme", "correspondantanonyme",
	/* Spanish */
	"anonimo", "anonima", "numeroanonimo", "llamadaanonima", "privado", "numeroprivado", "llamadaprivada", "oculto",
	"numerooculto", "numocultado", "identidadoculta", "llamadaoculta", "restringido", "numerorestringido", "confidencial",
	"sinidentificar", "idoculto", "secreto", "reservado", "bloqueado", "numerobloqueado",
	/* Portuguese */
	"privada", "numeroconfidencial", "restrito", "numerorestrito", "ligacaorestrita", "naoidentificado", "numeronaoidentificado",
	"sigilo", "ligacaoprivada", "chamadaanonima", "chamadaprivada", "chamadanaoidentificada", "idprivado",
	/* Italian */
	"privato", "numeroprivato", "nascosto", "numeronascosto", "riservato", "numeroriservato", "chiamataanonima",
	"utenteanonimo", "chiamataprivata", "oscurato", "numerooscurato",
	/* Dutch */
	"anoniem", "anoniemnummer", "anoniemebeller", "afgeschermd", "afgeschermdnummer", "privenummer", "prive", "geheimnummer",
	"verborgennummer", "nummerafgeschermd", "nummerprive", "geennummerweergave",
	/* Scandinavian languages, Finnish, Icelandic */
	"hemligt", "hemligtnummer", "skyddat", "skyddatnummer", "doltnummer", "dold", "anonymt", "privatnummer", "skjult",
	"skjultnummer", "hemmelig", "hemmelignummer", "hemmeligtnummer", "hemmeligt", "udeladt", "udeladtnummer", "udeladtnr",
	"utelatt", "salainen", "salainennumero", "numeroestetty", "estetty", "yksityinen", "yksityinennumero", "tuntematonsalainen",
	"piilotettu", "piilotettunumero", "leyninumer",
	/* Polish, Czech, Slovak, Slovenian, Croatian, Hungarian, Romanian, Baltic languages */
	"prywatny", "numerprywatny", "zastrzezony", "numerzastrzezony", "numerukryty", "ukryty", "anonimowy", "soukromecislo",
	"soukrome", "soukromy", "skrytecislo", "skryte", "skryty", "utajenecislo", "utajene", "anonymni", "sukromnecislo", "sukromne",
	"utajnene", "skritastevilka", "zasebnastevilka", "skrivenbroj", "skriveno", "privatanbroj", "privatni", "privatnibroj",
	"rejtett", "rejtettszam", "rejtetthivoszam", "privatszam", "maganszam", "titkosszam", "titkos", "ascuns", "numarascuns",
	"numarprivat", "numarsecret", "paslepta", "privatusnumeris", "privatsnumurs", "slepts", "sleptsnumurs", "peidetud",
	"peidetudnumber", "privaatnumber", "salastatud",
	/* Turkish, Greek, Albanian, Maltese */
	"gizli", "gizlinumara", "ozelnumara", "ozel", "numarasigizli", "gizlino", "αποκρυψη", "απορρητη", "απορρητο",
	"απορρητοςαριθμος", "ανωνυμος", "ανωνυμη", "ιδιωτικοςαριθμος",
	/* Cyrillic: Russian, Ukrainian, Bulgarian, Serbian */
	"скрыт", "скрытый", "скрытыйабонент", "анонимныйабонент", "скрытыйномер", "номерскрыт", "скрытномер", "анонимный", "аноним", "анонимно", "анонимныйномер",
	"анонимныйвызов", "частныйномер", "частный", "приватныйномер", "засекречен", "засекреченныйномер", "прихований",
	"прихованийномер", "номерприховано", "анонімний", "анонім", "приватнийномер", "скрит", "скритномер", "частенномер",
	"скривен", "скривенброј",
	/* Arabic, Hebrew, Persian, Hindi, Thai, Vietnamese, Indonesian, Malay */
	"رقمخاص", "خاص", "محجوب", "رقممحجوب", "رقممخفي", "مخفي", "חסוי", "מספרחסוי", "פרטי", "חסום", "خصوصی", "شمارهخصوصی",
	"निजीनंबर", "गुप्त", "หมายเลขส่วนตัว", "ไม่แสดงหมายเลข", "เบอร์ส่วนตัว", "sorieng", "sorientu", "soriengtu", "soan",
	"nomorpribadi", "nomortersembunyi", "nombortersembunyi", "nomborperibadi", "nomordirahasiakan", "disembunyikan", "pribadi",
	/* Japanese, Korean, Chinese */
	"非通知", "番号非通知", "発信者番号非通知", "非通知設定", "匿名", "발신번호표시제한", "발신자표시제한", "표시제한", "발신번호제한",
	"익명", "비공개", "私人号码", "隐藏号码", "隱藏號碼", "私人號碼", "不显示号码", "未显示号码", "来电隐藏", "未顯示號碼", "隱藏來電", "私人来电",
	"无主叫号码", "拒绝显示", NULL
};
static const char *const unavailable_phrases[] = {
	"outofarea", "notavailable", "na", "noname", "nonumber", "nocallinfo", "nodata", "none", "null", "undefined", "nil",
	"asserted", "o", "u", "unknownunknown", "unknownunknowninvalid", "unknowninvalid", "coin", "coinline", "coinphone", "publicphone",
	"paystation", "international", "asterisk", "notprovided", "notpresent", "empty", "interactionwithotherservice",
	/* German, French, Spanish, Portuguese, Italian, Dutch */
	"unbekannt", "unbekannter", "unbekannterteilnehmer", "teilnehmerunbekannt", "unbekannteranrufer", "unbekanntenummer", "rufnummerunbekannt", "nummerunbekannt",
	"keinerufnummer", "keinenummer", "nichtverfugbar", "nichtverfuegbar", "munzfernsprecher", "inconnu", "inconnue",
	"numeroinconnu", "appelinconnu", "appelantinconnu", "correspondantinconnu", "nonidentifie", "indisponible", "nondisponible",
	"desconocido", "numerodesconocido", "desconocida", "llamadadesconocida", "noidentificado", "nodisponible", "sinnumero",
	"indisponivel", "desconhecido", "numerodesconhecido", "chamadadesconhecida", "naodisponivel", "semnumero", "semidentificacao",
	"sconosciuto", "numerosconosciuto", "nondisponibile", "utentesconosciuto", "onbekend", "onbekendnummer", "nummeronbekend",
	"nietbeschikbaar", "onbekendebeller",
	/* Northern and Eastern Europe, Turkish, Greek */
	"okand", "okant", "okantnummer", "ukendt", "ukendtnummer", "ukjent", "ukjentnummer", "tuntematon", "tuntematonnumero",
	"othekkt", "nieznany", "numernieznany", "nieznanynumer", "niedostepny", "nezname", "neznamecislo", "neznamy", "neznano",
	"neznanastevilka", "nepoznat", "nepoznatbroj", "nepoznati", "ismeretlen", "ismeretlenszam", "necunoscut",
	"numarnecunoscut", "nezinoms", "nezinomas", "tundmatu", "bilinmeyen", "bilinmeyennumara",
	"αγνωστος", "αγνωστη", "αγνωστοςαριθμος",
	"неизвестный", "неизвестно", "неизвестныйабонент", "неизвестныйномер", "неопределен", "номернеопределен", "неизвестен",
	"невідомий", "невідомийномер", "непознат", "непознатброј", "неизвестенномер",
	/* Asia */
	"مجهول", "غيرمعروف", "رقمغيرمعروف", "ناشناس", "לאידוע", "לאמזוהה", "अज्ञात", "ไม่ทราบหมายเลข", "ไม่ทราบ", "khongxacdinh",
	"khongro", "tidakdikenal", "nomortidakdikenal", "tidakdiketahui", "表示圏外", "通知不可能", "通知不可", "公衆電話", "不明",
	"알수없음", "알수없는번호", "번호없음", "공중전화", "未知", "未知号码", "未知號碼", "未知来电", "不明来电", "不明來電", "無來電顯示", "无号码",
	"無號碼", "公用电话", NULL
};

/* Words that platforms send as the digits of their letters. */
static const char *const keypad_words[] = {
	"anonymous", "restricted", "blocked", "unknown", "unavailable", "private", "withheld", "outofarea", "nocallerid", "anonymo",
	"privatenumber", "unknowncaller", "nonumber", NULL
};

/* Base letters of U+00C0 to U+017F, "." for letters that are none or become two. */
static const char latin[] =
"aaaaaa.ceeeeiiiidnooooo.ouuuuy.."	/* C0 */
"aaaaaa.ceeeeiiiidnooooo.ouuuuy.y"	/* E0 */
"aaaaaaccccccccddddeeeeeeeeeegggg"	/* 100 */
"gggghhhhiiiiiiiiii..jjkkklllllll"	/* 120 */
"lllnnnnnn.nnoooooo..rrrrrrssssss"	/* 140 */
"ssttttttuuuuuuuuuuuuwwyyyzzzzzzs";	/* 160 */

/* Base letters of U+1EA0 to U+1EF9 (Vietnamese), in pairs of capital and small. */
static const char vietnamese[] = "aaaaaaaaaaaaeeeeeeeeiioooooooooooouuuuuuuyyyy";

static uint32_t
fold_char(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : 0;
	if (c >= 0xC0 && c <= 0x17F)
	{
		char		base = latin[c - 0xC0];

		return base != '.' ? (uint32_t) base : c == 0xC6 ? 0xE6 : c == 0xD8 || c == 0xF8 ? 'o' : c == 0xD7 || c == 0xF7 ? 0 : c;
	}
	if (c >= 0x1EA0 && c <= 0x1EF9)
		return vietnamese[(c - 0x1EA0) / 2];
	if (c == 0x01A0 || c == 0x01A1)
		return 'o';
	if (c == 0x01AF || c == 0x01B0)
		return 'u';
	/* Greek: small letters without accents, final sigma kept */
	if (c >= 0x0391 && c <= 0x03A9)
		return c + 32;
	switch (c)
	{
		case 0x0386:
		case 0x03AC:
			return 0x03B1;
		case 0x0388:
		case 0x03AD:
			return 0x03B5;
		case 0x0389:
		case 0x03AE:
			return 0x03B7;
		case 0x038A:
		case 0x03AF:
		case 0x03CA:
		case 0x0390:
			return 0x03B9;
		case 0x038C:
		case 0x03CC:
			return 0x03BF;
		case 0x038E:
		case 0x03CD:
		case 0x03CB:
			return 0x03C5;
		case 0x038F:
		case 0x03CE:
			return 0x03C9;
		case 0x0401:
		case 0x0451:			/* io is written as ie */
			return 0x0435;
		default:
			break;
	}
	if (c >= 0x0410 && c <= 0x042F)
		return c + 32;
	if (c >= 0x0400 && c <= 0x040F)
		return c + 80;
	if (c >= 0xFF10 && c <= 0xFF19)
		return c - 0xFF10 + '0';
	if (c >= 0xFF21 && c <= 0xFF3A)
		return c - 0xFF21 + 'a';
	if (c >= 0xFF41 && c <= 0xFF5A)
		return c - 0xFF41 + 'a';
	/* punctuation, signs, marks */
	if (c <= 0xBF || (c >= 0x0300 && c <= 0x036F) || c == 0x0640 || (c >= 0x064B && c <= 0x0652) || (c >= 0x2000 && c <= 0x2BFF)
		|| (c >= 0x3000 && c <= 0x303F) || (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xFF00 && c <= 0xFF65) || c == 0xFEFF
		|| c == 0xFFFD || c >= 0x1F000)
		return 0;
	return c;
}

int
callsync_caller_fold(const char *s, size_t len, char buf[CALLER_FOLD_MAX])
{
	int			n = 0;

	for (size_t i = 0; i < len;)
	{
		int			used;
		uint32_t	c = callsync_utf8_decode((const unsigned char *) s + i, len - i, &used);

		i += used;
		c = fold_char(c);
		if (c == 0)
			continue;
		if (n > CALLER_FOLD_MAX - 5)
			return -1;
		if (c == 0xDF || c == 0x1E9E)	/* sharp s */
			n += (memcpy(buf + n, "ss", 2), 2);
		else if (c == 0xE6)
			n += (memcpy(buf + n, "ae", 2), 2);
		else if (c < 0x80)
			buf[n++] = c;
		else if (c < 0x800)
		{
			buf[n++] = 0xC0 | c >> 6;
			buf[n++] = 0x80 | (c & 0x3F);
		}
		else if (c < 0x10000)
		{
			buf[n++] = 0xE0 | c >> 12;
			buf[n++] = 0x80 | (c >> 6 & 0x3F);
			buf[n++] = 0x80 | (c & 0x3F);
		}
		else
		{
			buf[n++] = 0xF0 | c >> 18;
			buf[n++] = 0x80 | (c >> 12 & 0x3F);
			buf[n++] = 0x80 | (c >> 6 & 0x3F);
			buf[n++] = 0x80 | (c & 0x3F);
		}
	}
	return n;
}

static bool
listed(const char *const *list, const char *s, int len)
{
	for (; *list != NULL; list++)
		if ((*list)[0] == s[0] && strlen(*list) == (size_t) len && memcmp(*list, s, len) == 0)
			return true;
	return false;
}

/* English by words. */
static CallerWord
composed(const char *s, size_t len)
{
	CallerWord	found = CALLER_WORD_NONE;
	char		buf[CALLER_FOLD_MAX];

	for (size_t i = 0; i < len;)
	{
		size_t		start;
		int			n;

		while (i < len && !(((unsigned char) s[i] | 32) >= 'a' && ((unsigned char) s[i] | 32) <= 'z'))
		{
			/* digits and other alphabets are no English */
			if ((s[i] >= '0' && s[i] <= '9') || (unsigned char) s[i] >= 0x80)
				return CALLER_WORD_NONE;
			i++;
		}
		start = i;
		while (i < len && (((unsigned char) s[i] | 32) >= 'a' && ((unsigned char) s[i] | 32) <= 'z'))
			i++;
		if (start == i)
			break;
		n = callsync_caller_fold(s + start, i - start, buf);
		if (n <= 0)
			return CALLER_WORD_NONE;
		if (listed(private_words, buf, n))
			found = CALLER_WORD_PRIVATE;
		else if (listed(unavailable_words, buf, n))
		{
			if (found == CALLER_WORD_NONE)
				found = CALLER_WORD_UNAVAILABLE;
		}
		else if (!listed(filler_words, buf, n))
			return CALLER_WORD_NONE;
	}
	return found;
}

CallerWord
callsync_caller_word(const char *s, size_t len)
{
	char		buf[CALLER_FOLD_MAX];
	int			n;

	if (len > 4 * CALLER_FOLD_MAX)
		return CALLER_WORD_NONE;
	/* no such word has a digit: most fields are done with here */
	for (size_t i = 0; i < len; i++)
		if (s[i] >= '0' && s[i] <= '9')
			return CALLER_WORD_NONE;
	n = callsync_caller_fold(s, len, buf);
	if (n <= 0)
		return CALLER_WORD_NONE;
	if (listed(private_words, buf, n) || listed(private_phrases, buf, n))
		return CALLER_WORD_PRIVATE;
	if (listed(unavailable_words, buf, n) || listed(unavailable_phrases, buf, n))
		return CALLER_WORD_UNAVAILABLE;
	return composed(s, len);
}

const char *
callsync_caller_keypad_word(const char *digits, int n)
{
	static const char keys[] = "22233344455566677778889999";

	for (const char *const *word = keypad_words; *word != NULL; word++)
	{
		int			i = 0;

		while (i < n && (*word)[i] != '\0' && keys[((*word)[i] & 31) - 1] == digits[i])
			i++;
		if (i == n && (*word)[i] == '\0')
			return *word;
	}
	return NULL;
}

const char *
callsync_caller_phrase(int i)
{
	static const char *const *const lists[] = {private_words, unavailable_words, filler_words, private_phrases, unavailable_phrases};

	for (unsigned l = 0; l < sizeof(lists) / sizeof(lists[0]); l++)
	{
		const char *const *p = lists[l];

		for (; *p != NULL; p++)
			if (i-- == 0)
				return *p;
	}
	return NULL;
}
