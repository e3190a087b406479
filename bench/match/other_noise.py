#!/usr/bin/env python3
"""A second profile for generate.py, so that a matcher is not only judged by the noise it was built beside.

    other_noise.py --seed 7 --contacts 10000 --calls 5000 --out DIR

Other countries, larger households, other ranks of names; speech is misheard by sound classes (voicing, nasals, vowels,
lost endings), typing slips by neighbouring keys, numbers and postal codes are also said in words, mailboxes are spelled
in other words, domains slip anywhere. Files as of generate.py; stdlib only.
"""
import argparse, csv, random
import generate as g

g.PROF["B"] = dict(
    country=dict(US=.46, GB=.18, DE=.12, FR=.06, ES=.05, MX=.06, AU=.05, CA=.02), dup=.04, hh=.34, biz=.24, zipf=1.0, tail=.18, landline_only=.25, shuffle=True,
    fmt=[("e164", .15), ("paren", .18), ("dash", .20), ("bare", .20), ("dot", .07), ("cc_space", .07), ("one_dash", .04), ("ext", .04), ("note", .03), ("zero_cc", .01), ("tel", .01)],
    name=[("exact", .44), ("homophone", .18), ("nick", .12), ("first_only", .05), ("initial", .02), ("swap", .03), ("edit", .05), ("title", .04), ("middle", .03), ("nodia", .02), ("lower", .02)],
    email=[("exact", .48), ("case", .06), ("spelled", .20), ("homophone", .09), ("plusdot", .04), ("domain", .07), ("edit", .06)],
    scen=dict(known_phone=.28, known_phone_noname=.05, email_new_phone=.12, cell_vs_landline=.09, private_name_zip=.07, private_email=.04, private_name_only=.02,
              private_spoken_phone=.05, household_named=.08, household_unnamed=.02, company_named=.04, company_unnamed=.01, household_new_member=.02,
              recycled_number=.03, new_caller=.10, new_same_name=.015, new_same_name_zip=.005))

KEYS = {a: b for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm") for i, a in enumerate(row) for b in [row[max(i - 1, 0):i] + row[i + 1:i + 2]]}
VOICE = [("b", "p"), ("d", "t"), ("g", "k"), ("v", "f"), ("z", "s"), ("v", "w"), ("m", "n"), ("th", "f"), ("th", "t"), ("sh", "ch"), ("j", "ch")]
SPELLING = [("f", "ph"), ("k", "c"), ("c", "k"), ("ck", "k"), ("y", "i"), ("i", "y"), ("ee", "ea"), ("ai", "ay"), ("ou", "oo"), ("x", "ks"), ("qu", "kw"), ("ei", "ai"), ("er", "a"), ("or", "er"), ("h", ""), ("gh", "")]
WORDS = dict(zip("0123456789", "zero one two three four five six seven eight nine".split()))
NATO = dict(zip("abcdefghijklmnopqrstuvwxyz", "alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu".split()))
TENS = {2: "twenty", 3: "thirty", 4: "forty", 5: "fifty", 6: "sixty", 7: "seventy", 8: "eighty", 9: "ninety"}
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()


class Other(g.Gen):
    def edit(self, s):
        r = self.r
        if len(s) < 3: return s
        i = r.randint(0 if r.random() < .15 else 1, len(s) - 1); k = r.random(); c = s[i].lower()
        if k < .3: return s[:i] + s[i + 1:]
        if k < .45: return s[:i] + s[i] + s[i:]
        if k < .8: return s[:i] + r.choice(KEYS.get(c, "e") or "e") + s[i + 1:]
        return s[:i - 1] + s[i] + s[i - 1] + s[i + 1:] if i > 0 else s

    def hom(self, w):
        r = self.r; lo = w.lower(); k = r.random()
        if k < .15 and lo in g.HOM: return r.choice(g.HOM[lo]).title()
        if k < .35:
            v = [i for i, c in enumerate(lo) if c in "aeiou" and i > 0]
            if v: i = r.choice(v); return (lo[:i] + r.choice([x for x in "aeiou" if x != lo[i]]) + lo[i + 1:]).title()
        if k < .45 and len(lo) > 4 and lo[-1] in "stdnr": return lo[:-1].title()
        for a, b in r.sample(VOICE + SPELLING, len(VOICE) + len(SPELLING)):
            if r.random() < .5: a, b = (b, a) if b else (a, b)
            if a in lo[1:]: return (lo[:1] + lo[1:].replace(a, b, 1)).title()
        return self.edit(w)

    def say_name(self, f, l):
        name, k = super().say_name(f, l); r = self.r; x = r.random()
        if "," in name or k in ("title", "initial"): return name, k
        if x < .04: name = r.choice(["this is ", "my name is ", "hi, I'm ", "it's ", "name's "]) + name
        elif x < .06: name += r.choice([" speaking", " here", ", please"])
        elif x < .08 and " " in name: name += ", " + " ".join(g.alnum(name.split()[-1]).upper())
        return name, k

    def number_words(self, digits):
        r = self.r; out = []; i = 0
        while i < len(digits):
            if i + 1 < len(digits) and digits[i] == digits[i + 1] and r.random() < .3: out.append("double " + WORDS[digits[i]]); i += 2; continue
            if i + 1 < len(digits) and digits[i] in "123456789" and r.random() < .25:
                t, u = int(digits[i]), int(digits[i + 1]); i += 2
                out.append(TEENS[u] if t == 1 else TENS[t] + (" " + WORDS[str(u)] if u else "")); continue
            out.append("oh" if digits[i] == "0" and r.random() < .5 else WORDS[digits[i]]); i += 1
        return " ".join(out)

    def say_email(self, e, f, l):
        r = self.r; lo, d = e.split("@"); k = g.wchoice(r, self.p["email"])
        if k == "spelled":
            out = []
            for w in [lo] if r.random() < .85 else list(lo):
                w2 = w; run = ""
                for c in w2 + "\0":
                    if c.isdigit(): run += c; continue
                    if run: out.append(" " + self.number_words(run) + " "); run = ""
                    if c == ".": out.append(r.choice([" dot ", " point ", " period "]))
                    elif c == "_": out.append(r.choice([" underscore ", " under score "]))
                    elif c == "-": out.append(r.choice([" dash ", " hyphen ", " minus "]))
                    elif c != "\0": out.append(c)
            x = "".join(out)
            if r.random() < .08 and lo.isalpha(): x = " ".join(f"{c} as in {NATO[c]}" if r.random() < .4 else c for c in lo)
            dd = d.replace(".", " dot ")
            if r.random() < .2: dd = r.choice([dd, d, d.rsplit(".", 1)[0] + " dot " + d.rsplit(".", 1)[1]])
            return " ".join((r.choice(["", "", "it's ", "that's ", "uh "]) + x + r.choice([" at ", " at ", " at sign "]) + dd).split()), k
        if k == "domain":
            n, t = d.rsplit(".", 1); i = r.randint(1, len(n) - 1); x = r.random()
            n = n[:i] + n[i + 1:] if x < .3 else n[:i] + n[i] + n[i:] if x < .5 else n[:i - 1] + n[i] + n[i - 1] + n[i + 1:] if x < .75 else n
            if n == d.rsplit(".", 1)[0]: t = r.choice([t[:-1], {"com": "net"}.get(t, "com"), "con"])
            return lo + "@" + n + "." + t, k
        if k == "homophone":
            for w in (g.alnum(f), g.alnum(l)):
                if w in lo and r.random() < .7: lo = lo.replace(w, g.alnum(self.hom(w)), 1)
            return lo + "@" + d, k
        if k == "edit": return self.edit(lo) + "@" + d, k
        save = self.p; self.p = dict(save, email=[(k, 1)])
        try: return super().say_email(e, f, l)
        finally: self.p = save


def slips(seed, out):
    """What build() has no hook for: numbers and postal codes in words, postal codes with a slip."""
    r = random.Random(seed + 1); o = Other("B", seed)
    o.r = r; rows = list(csv.DictReader(open(out + "/calls.csv")))
    for c in rows:
        s, z = c["spoken_number"], c["caller_zip"]
        if s and r.random() < .5:
            parts = ["".join(ch for ch in p if ch.isdigit()) for p in s.replace("+", "").replace("-", " ").replace(")", " ").split()]
            c["spoken_number"] = ("plus " if s.startswith("+") else "") + ", ".join(o.number_words(p) for p in parts if p)
        if z and z.isdigit():
            x = r.random()
            if x < .03:
                i = r.randint(0, len(z) - 2); z = z[:i] + z[i + 1] + z[i] + z[i + 2:]
            elif x < .05:
                i = r.randint(0, len(z) - 1); z = z[:i] + str((int(z[i]) + r.randint(1, 9)) % 10) + z[i + 1:]
            elif x < .13: z = o.number_words(z)
            c["caller_zip"] = z
    with open(out + "/calls.csv", "w", newline="") as fh:
        w = csv.DictWriter(fh, rows[0].keys()); w.writeheader(); w.writerows(rows)


if __name__ == "__main__":
    a = argparse.ArgumentParser(); a.add_argument("--seed", type=int, default=7)
    a.add_argument("--contacts", type=int, default=10000); a.add_argument("--calls", type=int, default=5000); a.add_argument("--out", required=True)
    o = a.parse_args(); g.Gen = Other; g.build("B", o.seed, o.contacts, o.calls, o.out); slips(o.seed, o.out)
