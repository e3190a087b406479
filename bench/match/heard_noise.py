#!/usr/bin/env python3
"""A third view for generate.py: callers of many countries, heard by a speech recogniser and typed by tired people.

    heard_noise.py --seed 11 --contacts 10000 --calls 5000 --out DIR

What differs from the other two: names of a dozen languages in several transliterations, compound and married names, two
given names, pet names of other languages; the recogniser drops weak syllables, joins and parts words, writes letters by
their names ("jay dot smith"), hears fifteen for fifty; contacts hold maiden names, both names in one column, initials,
names of two people, codes without their leading zero. Files as of generate.py; stdlib only.
"""
import argparse, csv, random
import generate as g

WORLD = {
    "slavic": ("Aleksandr Sergey Dmitry Mikhail Nikolai Yuri Vladimir Piotr Krzysztof Tomasz Katarzyna Agnieszka Małgorzata Ekaterina Tatyana Natalya Yelena Zoran Jelena Oksana".split(),
               "Kuznetsov Sokolov Popov Lebedev Morozov Volkov Wiśniewski Wójcik Kamiński Zieliński Szymański Dąbrowska Novák Dvořák Horvat Jovanović Shevchenko Bondarenko Tkachenko Baran".split()),
    "arabic": ("Mohammed Ahmad Yusuf Khalid Hassan Hussein Abdullah Mustafa Fatima Aisha Khadija Layla Noor Omar Ibrahim Ismail Zaynab Maryam".split(),
               "al-Sayed Haddad Khoury el-Masri Mansour Rahman Siddiqui Qureshi Farouk Nasser Abdel Rahim Saleh Hamdan Chaudhry".split()),
    "indian": ("Rajesh Suresh Lakshmi Sanjay Deepak Anjali Sunita Vijay Krishna Ramesh Pooja Kavita Harpreet Gurpreet Manoj Neha".split(),
               "Sharma Gupta Reddy Iyer Krishnamurthy Mukherjee Chatterjee Banerjee Agarwal Deshpande Subramanian Venkatesan Srinivasan Bhattacharya Joshi Desai".split()),
    "italian": ("Giuseppe Giovanni Francesco Antonio Salvatore Giulia Chiara Francesca Paola Luigi Vincenzo Raffaele Gianluca Annamaria".split(),
                "Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti De Luca Di Stefano D'Angelo Della Rocca".replace("De Luca", "De_Luca").replace("Di Stefano", "Di_Stefano").replace("Della Rocca", "Della_Rocca").split()),
    "portuguese": ("João Joaquim Tiago Conceição Inês Luís Gonçalo Beatriz Fernando Margarida Rui Paulo".split(), "Silva Souza Ferreira Oliveira Carvalho Gonçalves Almeida Ribeiro da_Costa dos_Santos Araújo Magalhães Teixeira".split()),
    "dutch": ("Pieter Willem Johannes Cornelis Geertje Hendrik Annelies Maarten Saskia Femke".split(), "van_den_Berg de_Vries Janssen van_Dijk Visser Mulder van_der_Meer de_Boer Hoekstra Dijkstra Vermeulen".split()),
    "greek": ("Konstantinos Georgios Dimitrios Ioannis Eleni Vasiliki Panagiotis Athanasios".split(), "Papadopoulos Georgiou Nikolaidis Angelopoulos Karagiannis Oikonomou Pappas Christodoulou".split()),
    "irish": ("Siobhan Niamh Aoife Sinead Ciaran Eoin Padraig Caoimhe Declan Fionnuala".split(), "O'Sullivan Fitzgerald McLoughlin Gallagher Doherty MacNamara O'Shaughnessy Kavanagh Geraghty McGrath".split()),
    "chinese": ("Xiaoming Zhihao Yuting Meiling Jianguo Siu-ming Wai-man Hsiao-ling Guanghui Lihua".split(), "Zhao Huang Zhou Xu Zhu Guo Cheung Leung Tsang Ng Hsu Tsai".split()),
    "turkish": ("Mehmet Ayşe Emine Hüseyin İbrahim Gülşen Çağlar Şerife Oğuz".split(), "Yılmaz Şahin Çelik Yıldırım Öztürk Aydın Özdemir Doğan Kılıç".split()),
}
# one name, several customs of writing it in Latin letters
SCRIPTS = [x.split() for x in """mohammed muhammad mohamed mohammad|ahmad ahmed|yusuf youssef yousef yusef|khalid khaled|hussein husain hussain hossein|abdullah abdallah abdulla|mustafa mostafa moustafa|fatima fatimah fatma|aisha ayesha aicha|layla leila laila|noor nour nur|omar umar|ibrahim ebrahim|zaynab zainab zeinab|maryam mariam meryem
sergey sergei serguei|dmitry dmitri dimitri|mikhail michail|nikolai nikolay|yuri yury iouri|aleksandr alexandr alexander|ekaterina yekaterina|tatyana tatiana|natalya natalia|yelena elena|krzysztof kristof|popov popoff|volkov wolkow|sokolov sokoloff|shevchenko schewtschenko|kuznetsov kusnezow|jovanović jovanovich yovanovic|horvat horvath
lakshmi laxmi|chatterjee chatterji|banerjee banerji|mukherjee mukherji|agarwal aggarwal agrawal|chaudhry chowdhury choudhary|siddiqui siddiqi|qureshi quraishi|krishnamurthy krishnamurti|georgios giorgos yiorgos|ioannis yannis giannis|dimitrios dimitris|papadopoulos papadopulos|zhao chao|xu hsu|zhou chou|guo kuo|cheung zhang|tsang zeng""".replace("\n", "|").split("|")]
SCRIPT = {a: [b for b in s if b != a] for s in SCRIPTS for a in s}
# pet names as their languages have them
PETS = {}
for row in """aleksandr sasha shura|mikhail misha|sergey seryozha|dmitry dima mitya|nikolai kolya|vladimir vova volodya|ekaterina katya|tatyana tanya|natalya natasha|yelena lena|yuri yura|katarzyna kasia|agnieszka aga|małgorzata gosia|tomasz tomek|piotr piotrek|krzysztof krzysiek|giuseppe peppe beppe|giovanni gianni|francesco franco|salvatore toto|antonio tonino toni|vincenzo enzo|luigi gigi|raffaele lello|joaquim quim|luís lula|beatriz bia|johannes jan hans|cornelis kees|hendrik henk|willem wim|pieter piet|konstantinos kostas|georgios giorgos|dimitrios dimitris mitsos|ioannis giannis|eleni lena|panagiotis panos takis|athanasios thanos|mustafa mo|mohammed mo|ibrahim ibo|josé pepe chepe|francisco paco curro|maría mari|jesús chuy suso|guillermo memo|concepción concha|dolores lola|jean-luc jeannot|ursula uschi|brigitte gitte|wolfgang wolf|jürgen jogi|matthias matze|margaret peggy greta daisy|elizabeth betsy libby elsie|john jack|mary molly polly|sarah sadie|edward teddy ned|henry hal|robert rab robbie|james jamie jimbo|alexander sandy xander|anthony ant|margaret maisie|richard ricky dickie|eleanor nell|susan suzy|theodore teddy""".split("|"):
    k, *v = row.split(); PETS.setdefault(k, []).extend(v)
LETTER = dict(a="ay", b="bee", c="see", d="dee", f="ef", g="gee", j="jay", k="kay", l="el", m="em", n="en", o="oh", p="pee", q="queue", r="are", s="ess", t="tee", u="you", v="vee", w="double you", x="ex", y="why", z="zee")
WORDS = dict(zip("0123456789", "zero one two three four five six seven eight nine".split()))
TENS = {2: "twenty", 3: "thirty", 4: "forty", 5: "fifty", 6: "sixty", 7: "seventy", 8: "eighty", 9: "ninety"}
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
V = "aeiouy"

g.PROF["C"] = dict(
    country=dict(US=.50, CA=.06, GB=.18, AU=.05, DE=.08, FR=.05, ES=.04, MX=.04), dup=.03, hh=.30, biz=.28, zipf=.9, tail=.12, landline_only=.22, shuffle=True,
    fmt=[("e164", .18), ("paren", .18), ("dash", .16), ("bare", .18), ("dot", .06), ("cc_space", .10), ("one_dash", .05), ("ext", .04), ("note", .03), ("zero_cc", .01), ("tel", .01)],
    name=[("exact", .40), ("misheard", .17), ("nick", .08), ("script", .06), ("joined", .06), ("part", .05), ("married", .015), ("first_only", .04), ("initial", .02), ("swap", .03), ("spelled", .03), ("title", .03), ("middle", .025), ("edit", .03), ("lower", .03)],
    email=[("exact", .46), ("case", .05), ("spelled", .22), ("letters", .05), ("homophone", .08), ("plusdot", .03), ("domain", .06), ("edit", .05)],
    scen=dict(known_phone=.30, known_phone_noname=.05, email_new_phone=.12, cell_vs_landline=.09, private_name_zip=.06, private_email=.04, private_name_only=.02,
              private_spoken_phone=.05, household_named=.07, household_unnamed=.02, company_named=.05, company_unnamed=.01, household_new_member=.02,
              recycled_number=.03, new_caller=.10, new_same_name=.015, new_same_name_zip=.005))


class Heard(g.Gen):
    people = None

    def person(self, c, last=None, first=None):
        r = self.r; q = super().person(c, last, first)
        if last is None and first is None:
            if r.random() < .16:
                f, l = WORLD[r.choice(sorted(WORLD))]; q["first"], q["last"] = r.choice(f), r.choice(l).replace("_", " ")
            if r.random() < .04: q["last"] = q["last"] + r.choice(["-", "-", " "]) + self.surname(c)
        if r.random() < .04 and " " not in q["first"] and "-" not in q["first"]: q["first"] += r.choice([" ", "-", " "]) + self.first(c)
        return q

    # ---- what is on file
    def row(self, q, typo=False):
        r = self.r; d, kept, he, hz = super().row(q, typo); x = r.random()
        f, l = d["first_name"], d["last_name"]
        if x < .02: d["first_name"], d["last_name"] = "", f + " " + l
        elif x < .03: d["first_name"], d["last_name"] = "", l + ", " + f
        elif x < .045: d["last_name"] = r.choice([f"{l} ({self.surname(q['c'])})", f"{l} née {self.surname(q['c'])}", f"{l}, geb. {self.surname(q['c'])}"])
        elif x < .06: d["first_name"] = f + " " + r.choice("ABCDEFGHJKLMNPRST") + r.choice(["", "."])
        elif x < .07: d["first_name"] = r.choice([f"Mr {f}", f"Mrs. {f}", f"Dr {f}"])
        elif x < .08 and f.lower() in PETS: d["first_name"] = f'{f} "{r.choice(PETS[f.lower()]).title()}"'
        elif x < .09: d["first_name"], d["last_name"] = l, f
        z = d["postal_code"]
        if z and z[0] == "0" and q["c"] in ("US", "DE", "FR", "ES", "MX") and r.random() < .3: d["postal_code"] = z[1:]
        return d, kept, he, hz

    # ---- what is heard
    def dull(self, w):
        """One weak place of a word: an unstressed vowel, a dropped syllable, a consonant of the same kind."""
        r = self.r; lo = w.lower(); k = r.random(); mid = [i for i in range(1, len(lo)) if g.fold(lo[i]) in V]
        if k < .28 and mid:
            i = r.choice(mid); return lo[:i] + r.choice([v for v in "aeiou" if v != lo[i]]) + lo[i + 1:]
        if k < .42 and len(lo) > 6 and len(mid) > 1:
            i = r.choice(mid[:-1] if len(mid) > 2 else mid); return lo[:i] + lo[i + 1:] if r.random() < .5 else lo[:i] + lo[i + 2:]
        if k < .52 and len(lo) > 4: return lo[:-1] if lo[-1] in "stdnreh" else lo + r.choice(["s", "e", "n"])
        if k < .58: return r.choice("bdptmnshkw") + lo[1:] if r.random() < .35 else lo[:1] + lo
        swaps = [("b", "v"), ("d", "t"), ("g", "k"), ("m", "n"), ("n", "m"), ("f", "th"), ("th", "t"), ("s", "z"), ("sh", "s"), ("ch", "sh"), ("j", "y"), ("v", "w"), ("w", "v"), ("l", "ll"), ("r", "rr"),
                 ("ll", "y"), ("kh", "h"), ("x", "z"), ("q", "k"), ("c", "s"), ("gh", "g"), ("ph", "f"), ("y", "ie"), ("ie", "y"), ("oo", "u"), ("ou", "oo"), ("ei", "y"), ("au", "ow"), ("sch", "sh"), ("cz", "ch"), ("sz", "sh"), ("rz", "zh"), ("zh", "j"), ("tsch", "ch"), ("ow", "ov"), ("ov", "off"), ("er", "a")]
        fo = g.fold(lo)
        for a, b in r.sample(swaps, len(swaps)):
            if a in fo[1:]: return fo[:1] + fo[1:].replace(a, b, 1)
        return self.edit(lo)

    def hom(self, w):
        r = self.r; lo = w.lower()
        return (r.choice(g.HOM[lo]) if lo in g.HOM and r.random() < .25 else " ".join(self.dull(p) if i == 0 or r.random() < .3 else p for i, p in enumerate(lo.split()))).title()

    def say_name(self, f, l):
        r = self.r; k = g.wchoice(r, self.p["name"]); lo = f.lower(); a, b = f, l
        if k == "misheard":
            x = r.random()
            if x < .4: a = self.hom(f)
            elif x < .85: b = self.hom(l)
            else: a, b = self.hom(f), self.hom(l)
        elif k == "nick":
            pets = PETS.get(lo, []) + g.NICK.get(lo, [])
            if pets: a = r.choice(pets).title()
        elif k == "script":
            if lo in SCRIPT: a = r.choice(SCRIPT[lo]).title()
            if l.lower() in SCRIPT: b = r.choice(SCRIPT[l.lower()]).title()
            for x, y in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("ł", "l"), ("ı", "i"), ("ş", "sh"), ("ç", "ch"), ("ć", "ch"), ("ñ", "ny")):
                if r.random() < .7: a, b = a.replace(x, y), b.replace(x, y)
        elif k == "joined":
            x = r.random()
            if " " in l or "-" in l: b = l.replace("-", " ") if "-" in l and x < .5 else l.replace("-", "").replace(" ", "")
            elif " " in f or "-" in f: a = f.replace("-", " ") if "-" in f and x < .5 else f.replace("-", "").replace(" ", "").title()
            elif len(l) > 6: i = r.randint(3, len(l) - 3); b = l[:i] + " " + l[i:]
            elif x < .3: return (a + b).lower().title(), k
        elif k == "part":
            p = l.replace("-", " ").split(); q = f.replace("-", " ").split()
            if len(p) > 1 and r.random() < .6: b = r.choice(p) if p[0][0].isupper() and r.random() < .5 else p[-1]
            elif len(q) > 1: a = r.choice(q)
        elif k == "married":
            b = r.choice([l + "-" + self.surname("US"), self.surname("US") + " " + l, self.surname("US") + "-" + l])
        elif k == "first_only": return f, k
        elif k == "initial": a = f[0] + r.choice(["", "."])
        elif k == "swap": return r.choice([f"{l} {f}", f"{l}, {f}", f"last name {l} first name {f}"]), k
        elif k == "spelled":
            s = " ".join(c.upper() for c in g.alnum(l.split()[-1])); x = r.random()
            return (f"{f} {self.hom(l)}, {s}" if x < .4 else f"{f} {s}" if x < .7 else f"{f} {l} that's {s.lower()}"), k
        elif k == "title": return r.choice(["Mister {} {}", "Missus {} {}", "doctor {} {}", "{} {} junior", "professor {} {}", "Miss {} {}", "Sir {} {}"]).format(f, l), k
        elif k == "middle": a = f + " " + (r.choice("ABCDEFGHJKLMRST") if r.random() < .5 else self.zf[r.choice("mf")].pick(r))
        elif k == "edit":
            if r.random() < .5: a = self.edit(f)
            else: b = self.edit(l)
        name = f"{a} {b}"
        if k == "lower": name = name.lower()
        if r.random() < .07: name = r.choice(["yeah this is {}", "hello my name is {}", "{} calling", "I'm {}", "um {}", "the name is {}", "{} again", "it's {} here", "yes hi {} speaking"]).format(name)
        return name, k

    def number_words(self, d):
        r = self.r; out = []; i = 0
        while i < len(d):
            if d[i:i + 2] and d[i:i + 1] * 2 == d[i:i + 2] and r.random() < .25: out.append("double " + WORDS[d[i]]); i += 2; continue
            if i + 1 < len(d) and d[i] in "123456789" and r.random() < .3:
                t, u = int(d[i]), int(d[i + 1])
                if t == 1 or u or d[i + 2:i + 3] in ("", "0"):  # nobody says "fifty eight" for 50 8
                    i += 2; out.append(TEENS[u] if t == 1 else TENS[t] + (r.choice([" ", "-"]) + WORDS[str(u)] if u else "")); continue
            out.append(r.choice(["oh", "zero"]) if d[i] == "0" else WORDS[d[i]]); i += 1
        return " ".join(out)

    def say_email(self, e, f, l):
        r = self.r; k = g.wchoice(r, self.p["email"]); lo, d = e.split("@")
        said = lambda s: " ".join("".join(f" {self.number_words(x)} " if x.isdigit() and r.random() < .6 else {".": r.choice([" dot ", " dot ", " period "]), "_": " underscore ", "-": r.choice([" dash ", " hyphen "])}.get(x, x) for x in self.runs(s)).split())
        if k in ("spelled", "letters"):
            x = said(lo)
            if k == "letters":
                head = 1 if len(lo) > 1 and lo[0].isalpha() and (lo[1] in "._-" or r.random() < .6) else 0
                if head and lo[0] in LETTER: x = LETTER[lo[0]] + " " + said(lo[1:])
                elif lo.isalpha(): x = "-".join(lo) if r.random() < .5 else " ".join(f"{c} as in {w}" if r.random() < .3 else c for c in lo for w in [next((p for p in ("apple boy cat dog egg fish girl house ice jack king love mother nancy orange peter queen robert sam tom uncle victor william xray yellow zebra".split()) if p[0] == c), c)])
            dd = d.replace(".", " dot ")
            if r.random() < .25: dd = {"gmail.com": r.choice(["g mail dot com", "gmail", "Gmail com"]), "googlemail.com": "google mail dot com", "hotmail.com": "hot mail dot com", "outlook.com": "out look dot com", "icloud.com": r.choice(["i cloud dot com", "eye cloud dot com"]), "yahoo.com": "yahoo", "aol.com": "a o l dot com"}.get(d, dd)
            x = r.choice(["", "", "", "yeah it's ", "so that's ", "my email is ", "um "]) + x + " at " + dd
            return " ".join((x[:1].upper() + x[1:] + "." if r.random() < .3 else x).split()), k
        if k == "domain":
            n, t = d.rsplit(".", 1); i = r.randint(0, len(n) - 2); x = r.random()
            n = n[:i] + n[i + 1:] if x < .3 else n[:i + 1] + n[i] + n[i + 1:] if x < .5 else n[:i] + n[i + 1] + n[i] + n[i + 2:] if x < .8 else n
            return lo + "@" + (n + "." + t if n + "." + t != d else n + "." + r.choice([{"com": "org"}.get(t, "com"), "cm", "comm"])), k
        if k == "homophone":
            for w in (g.alnum(f), g.alnum(l)):
                if w in lo and r.random() < .7: lo = lo.replace(w, g.alnum(self.hom(w)), 1)
            return lo + "@" + d, k
        if k == "edit": return self.edit(lo) + "@" + d, k
        save = self.p; self.p = dict(save, email=[(k, 1)])
        try: return super().say_email(e, f, l)
        finally: self.p = save

    @staticmethod
    def runs(s):
        out = ""
        for c in s:
            if out and not (out[-1].isdigit() and c.isdigit()): yield out; out = ""
            out += c
        if out: yield out


def slips(seed, out):
    r = random.Random(seed + 1); o = Heard("C", seed); o.r = r
    rows = list(csv.DictReader(open(out + "/calls.csv"))); truth = list(csv.DictReader(open(out + "/call_truth.csv")))
    for c, t in zip(rows, truth):
        s, z = c["spoken_number"], c["caller_zip"]
        if s:
            digits = "".join(ch for ch in s if ch.isdigit()); x = r.random()
            parts = [digits[:-7], digits[-7:-4], digits[-4:]]
            if x < .5: c["spoken_number"] = r.choice(["", "area code ", "it's "]) + ", ".join(o.number_words(p) for p in parts if p)
            elif x < .6: c["spoken_number"] = r.choice(["my number is ", "it is "]) + s
            if r.random() < .06:
                for a, b in r.sample([("fifteen", "fifty"), ("fifty", "fifteen"), ("sixteen", "sixty"), ("thirty", "thirteen"), ("forty", "fourteen"), ("nineteen", "ninety"), ("five", "nine"), ("nine", "five")], 8):
                    if a in c["spoken_number"].split():
                        c["spoken_number"] = c["spoken_number"].replace(a, b, 1)
                        t["accepted"] = "|".join(sorted(set(t["accepted"].split("|")) | {"review"})); break
        if c["caller_number"].startswith("+") and r.random() < .03: c["caller_number"] = r.choice(["00" + c["caller_number"][1:], c["caller_number"][1:], "sip:" + c["caller_number"] + "@pbx.example.com"])
        if z:
            x = r.random()
            if z.isdigit() and x < .03: i = r.randint(0, len(z) - 2); z = z[:i] + z[i + 1] + z[i] + z[i + 2:]
            elif z.isdigit() and x < .06: i = r.randint(0, len(z) - 1); z = z[:i] + str((int(z[i]) + r.randint(1, 9)) % 10) + z[i + 1:]
            elif z.isdigit() and x < .16: z = o.number_words(z)
            elif x < .2: z = r.choice(["zip code ", "postcode ", "it's "]) + z
            elif not z.isdigit() and x < .3: z = " ".join(z.replace(" ", ""))
            c["caller_zip"] = z
    for name, table in (("calls", rows), ("call_truth", truth)):
        with open(f"{out}/{name}.csv", "w", newline="") as fh:
            w = csv.DictWriter(fh, table[0].keys()); w.writeheader(); w.writerows(table)


if __name__ == "__main__":
    a = argparse.ArgumentParser(); a.add_argument("--seed", type=int, default=11)
    a.add_argument("--contacts", type=int, default=10000); a.add_argument("--calls", type=int, default=5000); a.add_argument("--out", required=True)
    o = a.parse_args(); g.Gen = Heard; g.build("C", o.seed, o.contacts, o.calls, o.out); slips(o.seed, o.out)
