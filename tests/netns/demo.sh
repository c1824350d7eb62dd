#!/usr/bin/env bash
# The demo works, and Ctrl-C ends a kept one without a trace: no process, mount, device or folder is left.
set -u
cd "$(dirname "$0")/../.."
before=$(ls -d /tmp/wattle-lab.* 2>/dev/null | wc -l)
python3 - <<'PY'
import os, signal, subprocess, sys, threading
demo = subprocess.Popen(["tests/demo", "--no-build", "--keep"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                        text=True, start_new_session=True)
alarm = threading.Timer(120, lambda: os.killpg(demo.pid, signal.SIGKILL)); alarm.start()
text, kept = [], False
for line in demo.stdout:
    text.append(line)
    if "kept: explore" in line:
        kept = True
        os.killpg(demo.pid, signal.SIGINT)      # what Ctrl-C does
status = demo.wait(); alarm.cancel()
sys.stdout.write("".join(text))
ok = kept and status == 130 and "FAILED" not in "".join(text)
print("demo: kept=%s status=%s" % (kept, status))
sys.exit(0 if ok else 1)
PY
status=$?
after=$(ls -d /tmp/wattle-lab.* 2>/dev/null | wc -l)
[ "$after" -le "$before" ] || { echo "FAILED: a lab's folder is left"; status=1; }
grep -q wattle-lab /proc/mounts && [ "$before" = 0 ] && { echo "FAILED: a mount is left"; status=1; }
exit $status
