#!/usr/bin/env python3
"""pgroot.py SUITE DIR PACKAGE...

Builds in DIR a light root folder of another Debian suite, holding PACKAGES and what they
depend on, to compile and test against the PostgreSQL of that suite. The packages are only
unpacked: no maintainer script runs, and what no test needs (the compiler for JIT bitcode,
documentation, init systems) is left out. The mirror is the one of this machine's apt
sources; every package is checked against the signed index of the suite.

Downloads are kept in $PGROOT_CACHE.
"""
import concurrent.futures
import glob
import hashlib
import lzma
import os
import re
import subprocess
import sys
import time
import urllib.request

SUITE, ROOT, WANT = sys.argv[1], sys.argv[2], sys.argv[3:]
CACHE = os.environ.get("PGROOT_CACHE", "/var/cache/callsync-ci/packages")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
BASE = """libc-bin bash coreutils sed grep mawk diffutils findutils perl base-files base-passwd tzdata
          procps util-linux dash hostname tar gzip""".split()
LEAVE_OUT = re.compile(
    r"^(clang|llvm|libllvm|libclang|perl-doc|python3|media-types|init-system-helpers|debconf|systemd|udev|dpkg-dev|adduser|passwd"
    r"|libgcc-.*-doc|manpages|locales|ssl-cert|tzdata-legacy|lsb-|logrotate|libjson-perl|netbase|sensible-utils|ucf)")


def mirror():
    for name in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*"))]:
        if not os.path.isfile(name):
            continue
        for m in re.finditer(r"^(?:URIs: *|deb (?:\[[^]]*\] *)?)(https?://\S+)", open(name).read(), re.M):
            if re.search(r"debian/?$", m[1]) and "security" not in m[1]:
                return m[1].rstrip("/")
    sys.exit("pgroot.py: no Debian mirror in the apt sources")


def get(url):
    for pause in (1, 4, 10, None):
        try:
            return urllib.request.urlopen(url, timeout=60).read()
        except OSError as e:
            if pause is None or getattr(e, "code", None) == 404:
                sys.exit(f"pgroot.py: {url}: {e}")
            time.sleep(pause)


def checked(data, digest, what):
    if hashlib.sha256(data).hexdigest() != digest:
        sys.exit(f"pgroot.py: {what}: wrong SHA256")
    return data


def index(base):
    """All packages of the suite by name, and who provides which virtual one."""
    arch = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    signed = os.path.join(CACHE, f"InRelease.{SUITE}")
    with open(signed, "wb") as f:
        f.write(get(f"{base}/dists/{SUITE}/InRelease"))
    release = subprocess.run(["gpgv", "-q", "--output", "-", "--keyring", KEYRING, signed],
                             check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    path = f"main/binary-{arch}/Packages.xz"
    sums = re.search(r"^SHA256:\n((?: .*\n)+)", release, re.M)[1]
    digest = re.search(rf"^ ([0-9a-f]{{64}}) +\d+ {re.escape(path)}$", sums, re.M)[1]
    packages, provides = {}, {}
    for stanza in lzma.decompress(checked(get(f"{base}/dists/{SUITE}/{path}"), digest, path)).decode().split("\n\n"):
        d = {m[1]: m[2] for m in re.finditer(r"^(Package|Depends|Pre-Depends|Provides|Filename|SHA256|Size): (.*)$", stanza, re.M)}
        if d:
            packages[d["Package"]] = d
            for p in d.get("Provides", "").split(","):
                provides.setdefault(p.strip().split(" ")[0], d["Package"])
    return packages, provides


def closure(packages, provides):
    todo, chosen = WANT + BASE, {}
    while todo:
        name = todo.pop()
        if name not in packages:
            name = provides.get(name)
        if name is None or name in chosen or LEAVE_OUT.match(name) and name not in WANT:
            continue
        d = chosen[name] = packages[name]
        for dep in f"{d.get('Depends', '')},{d.get('Pre-Depends', '')}".split(","):
            names = [re.split(r"[ (:]", a.strip())[0] for a in dep.split("|")]
            if names[0] and not any(n in chosen for n in names):
                todo.append(next((n for n in names if n in packages or n in provides), names[0]))
    return chosen


def fetch(base, d):
    name = os.path.join(CACHE, os.path.basename(d["Filename"]))
    if not os.path.exists(name):
        data = checked(get(f"{base}/{d['Filename']}"), d["SHA256"], d["Filename"])
        part = f"{name}.{os.getpid()}"
        with open(part, "wb") as f:
            f.write(data)
        os.rename(part, name)
    return name


def main():
    os.makedirs(CACHE, exist_ok=True)
    base = mirror()
    packages, provides = index(base)
    lacking = [w for w in WANT if w not in packages and w not in provides]
    if lacking:
        sys.exit(f"pgroot.py: {SUITE} has no {' '.join(lacking)}")
    chosen = closure(packages, provides)
    # merged /usr first, so that /bin/x and /usr/bin/x of different packages land in one place
    for d in ("bin", "sbin", "lib", "lib64"):
        os.makedirs(f"{ROOT}/usr/{d}", exist_ok=True)
        if not os.path.islink(f"{ROOT}/{d}"):
            os.symlink(f"usr/{d}", f"{ROOT}/{d}")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        files = list(pool.map(lambda d: fetch(base, d), chosen.values()))
    for f in files:
        deb = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", f], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", ROOT, "--keep-directory-symlink", "--exclude=./usr/share/doc", "--exclude=./usr/share/man",
                        "--exclude=./usr/share/locale"], stdin=deb.stdout, check=True)
        if deb.wait() != 0:
            sys.exit(f"pgroot.py: {f} is damaged")
    # what maintainer scripts would have done
    for link, target in (("awk", "mawk"), ("sh", "dash"), ("cc", "gcc")):
        if not os.path.lexists(f"{ROOT}/usr/bin/{link}") and os.path.exists(f"{ROOT}/usr/bin/{target}"):
            os.symlink(target, f"{ROOT}/usr/bin/{link}")
    # (zoneinfo has a link to it, which PostgreSQL follows)
    if not os.path.lexists(f"{ROOT}/etc/localtime"):
        os.makedirs(f"{ROOT}/etc", exist_ok=True)
        os.symlink("/usr/share/zoneinfo/Etc/UTC", f"{ROOT}/etc/localtime")
    for d in ("proc", "sys", "dev", "tmp", "root", "run", "etc", "home/pg"):
        os.makedirs(f"{ROOT}/{d}", exist_ok=True)
    os.chmod(f"{ROOT}/tmp", 0o1777)
    for name, text in (("passwd", "root:x:0:0::/root:/bin/sh\npg:x:1234:1234::/home/pg:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"),
                       ("group", "root:x:0:\npg:x:1234:\nnogroup:x:65534:\n"), ("hosts", "127.0.0.1 localhost\n::1 localhost\n")):
        with open(f"{ROOT}/etc/{name}", "w") as f:
            f.write(text)
    os.chown(f"{ROOT}/home/pg", 1234, 1234)
    subprocess.run(["chroot", ROOT, "/sbin/ldconfig"], check=True)
    print(f"{ROOT}: {len(chosen)} packages of {SUITE}, {sum(int(d['Size']) for d in chosen.values()) / 1e6:.0f} MB packed")


main()
