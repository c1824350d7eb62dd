#!/usr/bin/env python3
"""manuals.py SOURCE-FOLDER FOLDER-OF-PROGRAMS: what --help, the man page and the reference of the configuration say is
the same, both ways, for every program; so is the template of wattle.conf that join writes."""
import re
import subprocess
import sys

source, programs = sys.argv[1:3]
faults = []
ALWAYS = {"help", "version"}  # every program has them


def page(name):
    return open(f"{source}/man/{name}", encoding="ascii").read()


def code(path):
    return open(f"{source}/{path}", encoding="ascii").read()


def helps(*words):
    done = subprocess.run([f"{programs}/{words[0]}", *words[1:]], capture_output=True, text=True, check=False)
    if done.returncode != 0 or not done.stdout:
        faults.append(f"{' '.join(words)}: exit {done.returncode} and {len(done.stdout)} bytes of help")
    return done.stdout


def same(what, ones, of_ones, others, of_others):
    if not ones:
        faults.append(f"{what}: nothing found in {of_ones}")
    faults.extend(f"{what}: {word} is in {of_ones}, not in {of_others}" for word in sorted(ones - others))
    faults.extend(f"{what}: {word} is in {of_others}, not in {of_ones}" for word in sorted(others - ones))


def section(text, name):
    return re.search(rf"^\.Sh {name}\n(.*?)(?=^\.Sh|\Z)", text, re.M | re.S).group(1)


def items(text, macro):
    """First words behind `.It MACRO`."""
    return set(re.findall(rf"^\.It {macro} -?([a-z][a-z0-9-]*)", text, re.M))


# The daemons: each line of --help that begins with an option is an item of the page.
options = {}
for name in ["wattle-tapd", "wattle-cryptod", "wattle-keyd", "wattle-metad", "wattle-signer", "wattle-registry"]:
    options[name] = set(re.findall(r"^  --([a-z][a-z0-9-]*)", helps(name, "--help"), re.M)) - ALWAYS
    text = page(f"{name}.8")
    same(name, options[name], "--help", items(text, "Fl") - ALWAYS, f"{name}(8)")
    synopsis = set(re.findall(r"Fl -([a-z][a-z0-9-]*)", section(text, "SYNOPSIS"))) - ALWAYS
    faults.extend(f"{name}(8): --{word} is in the synopsis only" for word in sorted(synopsis - options[name]))

# wattle.conf: its reference, the template, and the daemons that are said to read a key.
text = page("wattle.conf.5")
keys = items(text, "Ic")
template = set(re.findall(r'(?:"|\\n)#?([a-z][a-z-]*) = ', code("metad/ctl/conf_template.cpp")))
same("wattle.conf", keys, "wattle.conf(5)", template, "the template of join")
known = set(re.findall(r'"([a-z-]+)"', re.search(r"kKeys = \{(.*?)\}", code("common/os/options.cpp"), re.S).group(1)))
same("wattle.conf", keys, "wattle.conf(5)", known, "known_file_keys()")
for entry in re.split(r"^\.It Ic ", text, flags=re.M)[1:]:
    key = entry.split()[0]
    said = entry.split("Read by")[1].split(".El")[0] if "Read by" in entry else ""
    readers = set(re.findall(r"Xr (wattle-[a-z]+) 8", said)) or set(options) - {"wattle-signer", "wattle-registry"}
    faults.extend(f"wattle.conf(5): {key} is read by {name}, which has no --{key}"
                  for name in sorted(readers) if key not in options[name])

# registry.conf: its reference and what is read from it.
keys = items(page("registry.conf.5"), "Cm")
read = set(re.findall(r'(?:list|text|choice|flag|number|seconds)\("([a-z-]+)"', code("registry/admin/settings.cpp")))
same("registry.conf", keys, "registry.conf(5)", read, "registry/admin/settings.cpp")
faults.extend(f"registry.conf(5): wattle-registry has no --{key}" for key in sorted(keys - options["wattle-registry"]))

# `wattle`: each verb has its lines in the synopsis, with the options that its help names, and a section.
text = page("wattle.8")
synopsis = {}
for entry in re.split(r"^\.Nm\n", section(text, "SYNOPSIS"), flags=re.M)[1:]:
    verb = re.match(r"\.Cm ([a-z]+)", entry).group(1)
    synopsis.setdefault(verb, set()).update("-" + o for o in re.findall(r"Fl (-?[a-z]+)", entry))
verbs = set(re.findall(r"^  ([a-z]+) ", helps("wattle", "help"), re.M))
same("wattle", verbs, "wattle help", set(synopsis), "the synopsis of wattle(8)")
for verb in sorted(verbs & set(synopsis)):
    said = set(re.findall(r"(?<=[\[ ])(--?[a-z]+)", helps("wattle", "help", verb).split("\n")[0]))
    faults.extend(f"wattle {verb}: {o} is in its help, not in wattle(8)" for o in sorted(said - synopsis[verb]))
    faults.extend(f"wattle {verb}: {o} is in wattle(8), not in its help" for o in sorted(synopsis[verb] - said))
sections = {w for line in re.findall(r"^\.Ss (.*)$", text, re.M) for w in re.findall(r"[a-z]+", line)}
same("wattle", verbs - {"version", "help"}, "wattle help", sections - {"version", "help"}, "the sections of wattle(8)")


# `wattle-registry`: each verb (with its object's verb) is an item.
def verb_of(words):
    return " ".join(w for w in re.findall(r"[A-Za-z|]+", words)[:2] if re.fullmatch("[a-z]+", w))


lines = re.findall(r"^  ([a-z]+(?: \[NET\])?(?: [A-Za-z|]+)*)", helps("wattle-registry", "--help").split("Verbs:\n")[1], re.M)
told = {verb_of(line.replace(" [NET]", "").split("  ")[0]) for line in lines}
first = {t.split()[0] for t in told}
listed = {verb_of(re.sub(r"Op Ar NET |Ar [A-Z ]+.*|Cm ", "", line)) for line in re.findall(r"^\.It Cm (.*)$", page("wattle-registry.8"), re.M)}
same("wattle-registry", {t if t.split()[0] in ("node", "network", "key") else t.split()[0] for t in told}, "--help",
     {v if v.split()[0] in ("node", "network", "key") else v.split()[0] for v in listed if v.split()[0] in first},
     "wattle-registry(8)")

for fault in faults:
    print(fault)
sys.exit(1 if faults else 0)
