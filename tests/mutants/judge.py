"""judge.py BUILD TABLE [--quick] [NAME...]: runs the tests of each row of TABLE in BUILD (which has WATTLE_MUTANTS)
without a mutant, then with the row's check inverted, always true and always false; prints what became of each and
exits 1 if one survives. Tests that ctest runs alone (RUN_SERIAL) run alone here, too; all others two at a time."""
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

LONGEST = 120  # seconds for one test; a mutant that hangs is found as well
FORMS = [("inverted", ""), ("always true", ":true"), ("always false", ":false")]


def read_table(path):
    rows = {}
    for line in open(path, encoding="ascii"):
        line = line.rstrip("\n")
        if line and not line.startswith("#"):
            name, regex = line.split(None, 1)
            rows[name] = regex.strip()
    return rows


def read_tests(build):
    out = subprocess.run(["ctest", "--show-only=json-v1"], cwd=build, check=True, capture_output=True, text=True).stdout
    tests = {}
    for test in json.loads(out)["tests"]:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        tests[test["name"]] = (test.get("command"), properties.get("WORKING_DIRECTORY", build),
                               bool(properties.get("RUN_SERIAL")), properties.get("ENVIRONMENT", []))
    return tests


def is_red(test, mutant):
    command, folder, _, more = test
    environment = dict(os.environ, **dict(pair.split("=", 1) for pair in more))
    environment.pop("WATTLE_MUTANT", None)
    if mutant:
        environment["WATTLE_MUTANT"] = mutant
    try:
        result = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LONGEST)
        return result.returncode != 0
    except subprocess.TimeoutExpired:
        return True


def main():
    build, table = os.path.abspath(sys.argv[1]), read_table(sys.argv[2])
    quick = "--quick" in sys.argv[3:]
    names = [a for a in sys.argv[3:] if not a.startswith("--")]
    for name in names:
        if name not in table:
            sys.exit(f"mutants: {name} has no row")
    rows = {n: r for n, r in table.items() if not names or n in names}
    forms = FORMS[:1] if quick else FORMS

    tests, chosen, faults = read_tests(build), {}, []
    for name, regex in rows.items():
        chosen[name] = [t for t in tests if re.search(regex, t)]
        if not chosen[name]:
            faults.append(f"{name}: no test is called {regex}")
        for t in chosen[name]:
            if tests[t][0] is None:
                faults.append(f"{name}: the test {t} is not built")
    if faults:
        sys.exit("mutants: " + "\nmutants: ".join(faults))

    pool = ThreadPoolExecutor(2)

    def run_all(jobs, work):  # those with a serial test one by one, after the others
        alone = [j for j in jobs if any(tests[t][2] for t in (chosen[j[0]] if isinstance(j, tuple) else [j]))]
        together = [j for j in jobs if j not in alone]
        done = dict(zip(together, pool.map(work, together)))
        done.update({j: work(j) for j in alone})
        return done

    every = sorted({t for ts in chosen.values() for t in ts})
    reds = [t for t, red in run_all(every, lambda t: is_red(tests[t], "")).items() if red]
    if reds:
        sys.exit("mutants: red without a mutant: " + " ".join(reds))
    print(f"{len(every)} tests, all green without a mutant")

    def kill(job):
        name, suffix = job
        return next((t for t in chosen[name] if is_red(tests[t], name + suffix)), None)

    killed = run_all([(n, s) for n in rows for _, s in forms], kill)
    width = max(map(len, rows))
    print(f"{'check':{width}}  " + "  ".join(f"{label:12}" for label, _ in forms) + "  red test")
    survivors = 0
    for name in rows:
        results = [killed[(name, suffix)] for _, suffix in forms]
        survivors += None in results
        words = "  ".join(f"{'red' if r else 'SURVIVES':12}" for r in results)
        print(f"{name:{width}}  {words}  " + " ".join(dict.fromkeys(r for r in results if r)))
    print(f"killed {len(rows) - survivors} of {len(rows)}")
    sys.exit(survivors != 0)


main()
