#!/usr/bin/env python3
"""Contacts and calls as of generate.py, for mirrors of any size: names and postal codes grow with the number of contacts.

    large.py --contacts 1000000 --calls 5000 --out DIR
"""
import argparse
import generate as g

g.PROF["L"] = dict(g.PROF["A"], tail=.45, dup=.01)


class Large(g.Gen):
    contacts = 0

    def zip(self, c):
        if c not in self.zips:
            n = max(400 if c == "US" else 60, self.contacts // (30 if c == "US" else 150)); r = self.r
            one = {"AU": lambda: "%04d" % r.randint(2000, 7999), "GB": lambda: r.choice(["SW", "SE", "N", "E", "M", "B", "LS", "BS", "EH", "CF"]) + "%d %d" % (r.randint(1, 28), r.randint(1, 9)) + r.choice("ABDEFGHJLNPQRSTUWXYZ") + r.choice("ABDEFGHJLNPQRSTUWXYZ"),
                   "CA": lambda: r.choice("ABCEGHJKLMNPRSTVXY") + str(r.randint(0, 9)) + r.choice("ABCEGHJKLMNPRSTVWXYZ") + " " + str(r.randint(0, 9)) + r.choice("ABCEGHJKLMNPRSTVWXYZ") + str(r.randint(0, 9))}.get(c, lambda: "%05d" % r.randint(1001, 99950))
            self.zips[c] = g.Zipf([one() for _ in range(n)], .5)
        return self.zips[c].pick(self.r)


if __name__ == "__main__":
    a = argparse.ArgumentParser(); a.add_argument("--seed", type=int, default=20240601)
    a.add_argument("--contacts", type=int, default=1000000); a.add_argument("--calls", type=int, default=5000); a.add_argument("--out", required=True)
    o = a.parse_args(); Large.contacts = o.contacts; g.Gen = Large; g.build("L", o.seed, o.contacts, o.calls, o.out)
