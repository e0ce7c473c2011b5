#!/usr/bin/env python3
"""Shows that the driver finds a planted fault, and that a worker that dies loses nothing.

    demo.py --skiff target/release/skiff [--logs 200] [--seconds 1800]

200 generated logs of a depth; the shallow water alarm as it is, and with its hysteresis of 0.5 m made 0 in the module. Two workers of
Dask, one of which is killed while it plays; then `work` does what is left, as a Job array would. What differs must be the logs whose
depth has risen above the limit and stayed within half a metre of it, no other.
"""

import argparse
import json
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent.parent / "plugins/assemblyscript/shallow-water-alarm"
# `f64.const 0.5`, of which the first is the hysteresis, and `f64.const 0`.
HALF, ZERO = b"\x44" + struct.pack("<d", 0.5), b"\x44" + struct.pack("<d", 0.0)
LIMIT = 3.0


def write_log(path, seconds, seed):
    """Writes PGN 128267 once a second; returns whether the alarm differs with and without hysteresis."""
    rng = random.Random(seed)
    # One boat in ten sails where it is shallow.
    middle = rng.uniform(2.5, 3.6) if seed % 10 == 0 else rng.uniform(6, 40)
    depth, with_it, differs = middle, False, False
    with open(path, "w") as log:
        for second in range(seconds):
            depth = max(1.0, depth + rng.gauss(0, 0.08) + 0.02 * (middle - depth))
            told = round(depth * 100) / 100
            # An alarm that is on stays until the depth exceeds limit and hysteresis.
            with_it, without = told < (LIMIT + 0.5 if with_it else LIMIT), told < LIMIT
            differs |= with_it != without
            data = struct.pack("<BIhB", second % 250, round(told * 100), 0, 0xFF)
            log.write(f"({1_790_000_000 + second}.000000) can0 0DF50B23#{data.hex().upper()}\n")
    return differs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--skiff", required=True)
    parser.add_argument("--logs", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=1800)
    args = parser.parse_args()
    skiff = str(Path(args.skiff).resolve())
    with tempfile.TemporaryDirectory() as folder:
        show(Path(folder), skiff, args)


def show(folder, skiff, args):
    logs, out = folder / "logs", folder / "out"
    logs.mkdir()
    wanted = {f"{n:04}.log" for n in range(args.logs) if write_log(logs / f"{n:04}.log", args.seconds, n)}
    for version in ("before", "after"):
        (folder / version).mkdir()
        for name in ("package.json", "plugin.wasm", "plugin-small.wasm"):
            shutil.copy(PACKAGE / name, folder / version / name)
    for module in (folder / "after").glob("*.wasm"):
        code = module.read_bytes()
        assert HALF in code, module
        module.write_bytes(code.replace(HALF, ZERO, 1))
    fleet = [sys.executable, str(HERE / "fleet.py")]
    place = ["--out", str(out)]
    packages = ["--before", str(folder / "before"), "--after", str(folder / "after")]
    plan = [*fleet, "plan", *place, "--logs", str(logs), *packages, "--skiff", skiff]
    subprocess.run(plan, check=True)
    results = lambda: len(list((out / "results").glob("[!.]*.json")))
    pids = folder / "pids"
    began = time.monotonic()
    cluster = subprocess.Popen([*fleet, "dask", *place, "--workers", "2", "--pids", str(pids)], stderr=subprocess.DEVNULL)
    while results() < args.logs // 4:
        assert cluster.poll() is None, "Dask has ended"
        time.sleep(0.02)
    # One worker dies while it plays; Dask starts another. Then all of it dies, and a Job array goes on.
    killed = int(pids.read_text().split()[0])
    subprocess.run(["kill", "-KILL", str(killed)], check=True)
    while results() < args.logs:
        assert cluster.poll() is None, "Dask has ended"
        time.sleep(0.02)
    cluster.send_signal(signal.SIGINT)
    cluster.wait()
    by_dask = results()
    workers = [subprocess.Popen([*fleet, "work", *place, "--index", str(n), "--of", "2"]) for n in range(2)]
    assert all(worker.wait() == 0 for worker in workers)
    wall = time.monotonic() - began
    assert results() == 2 * args.logs, results()
    told = subprocess.run([*fleet, "table", *place, "--json"], capture_output=True, text=True, check=False)
    table = json.loads(told.stdout)
    found = {Path(row["log"]).name for row in table["differences"]}
    assert found == wanted and told.returncode == 1, (sorted(found ^ wanted), told.returncode)
    again = subprocess.run([*fleet, "work", *place], capture_output=True, text=True, check=True)
    assert again.stderr.startswith("worker 0 of 1: 0 played"), again.stderr
    print(json.dumps(table["differences"][0]))
    rate = table["core_seconds_per_task"]
    print(
        f"{2 * args.logs} tasks, {by_dask} by Dask with worker {killed} killed, the rest by two workers of an array, {wall:.1f} s; "
        f"{len(found)} logs differ, as planted; {rate:.3f} s of a core a task of {args.seconds} s"
    )


if __name__ == "__main__":
    main()
