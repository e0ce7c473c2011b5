#!/usr/bin/env python3
"""Plays many logs with two versions of a plugin, and tells where they differ.

    fleet.py plan    --logs DIR --before PACKAGE --after PACKAGE --out DIR [--config FILE]
    fleet.py work    --out DIR --index N --of M        one worker of an array: a Kubernetes Job, a batch system
    fleet.py dask    --out DIR [--workers N] [--scheduler ADDRESS]
    fleet.py table   --out DIR [--json]                exit 1 where something differs

`skiff replay --summary` does the work; it is deterministic and needs nothing, so a fleet's regression is a map over logs. A task is a
log with one of the two versions. Its result is a file that is there whole or not at all: a worker that dies loses the task it is at, and
whoever is started again does what has no result. Two workers that do the same task write the same bytes.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VERSIONS = ("before", "after")
# Longest time that one log may take.
TIMEOUT_S = 3600
# Seconds of a simulated or recorded day.
DAY_S = 86400


def plan(args):
    """Writes the list of tasks; what has a result already keeps it where its inputs are the same."""
    logs = sorted(str(path.resolve()) for path in Path(args.logs).iterdir() if path.is_file())
    if not logs:
        sys.exit(f"{args.logs}: there are no logs")
    out = Path(args.out)
    (out / "results").mkdir(parents=True, exist_ok=True)
    packages = {"before": args.before, "after": args.after}
    written = {
        "skiff": args.skiff,
        "config": str(Path(args.config).resolve()) if args.config else None,
        "packages": {name: str(Path(path).resolve()) for name, path in packages.items()},
        # Another file of the same name is another task.
        "hashes": {name: of_package(path) for name, path in packages.items()},
        "logs": logs,
    }
    whole(out / "plan.json", written)
    print(f"{len(logs)} logs, {2 * len(logs)} tasks", file=sys.stderr)


def of_package(path):
    """Returns the hash of a package: of its file, or of the files of its folder that are no hidden ones."""
    path, total = Path(path), hashlib.sha256()
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    if not files:
        sys.exit(f"{path}: there is no package")
    for file in files:
        if path.is_dir() and file.suffix not in (".wasm", ".json"):
            continue
        total.update(file.name.encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def whole(path, content):
    """Writes JSON so that it is there whole or not at all."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".being-written-", delete=False) as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)


def read_plan(out):
    try:
        return json.loads((Path(out) / "plan.json").read_text())
    except FileNotFoundError:
        sys.exit(f"{out}: there is no plan; begin with: fleet.py plan")


def tasks(written):
    return [(log, version) for log in written["logs"] for version in VERSIONS]


def result_of(out, written, task):
    log, version = task
    about = json.dumps([log, Path(log).stat().st_size, version, written["hashes"][version], written["config"]])
    return Path(out) / "results" / f"{hashlib.sha256(about.encode()).hexdigest()[:32]}.json"


def play(out, written, task):
    """Does one task unless it was done; returns whether it did."""
    log, version = task
    result = result_of(out, written, task)
    if result.exists():
        return False
    package = written["packages"][version]
    command = [written["skiff"], "replay", log, "--summary", "--plugin", package]
    if written["config"]:
        command += ["--plugin-config", f"{name_of(package)}={written['config']}"]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    seconds = time.monotonic() - began
    content = {"log": log, "version": version, "seconds": seconds, "exit": done.returncode}
    if done.returncode == 0:
        content["summary"] = json.loads(done.stdout)
    elif done.returncode < 0:
        # It was killed: that says nothing of log or plugin, and another worker shall try.
        raise RuntimeError(f"{log}: killed by signal {-done.returncode}")
    else:
        # A verdict, too: the same log ends so each time.
        content["error"] = done.stderr.strip().splitlines()[-1:] or [""]
    whole(result, content)
    return True


def name_of(package):
    """Returns the name of a package: a folder says it, a bare module is called as its file."""
    manifest = Path(package) / "package.json"
    if manifest.exists():
        return json.loads(manifest.read_text())["name"]
    return Path(package).name.removesuffix(".wasm").removesuffix(".tgz")


def work(args):
    """Does every M-th task from the N-th; started again, what is left of them."""
    written = read_plan(args.out)
    own = tasks(written)[args.index :: args.of]
    done = sum(play(args.out, written, task) for task in own)
    print(f"worker {args.index} of {args.of}: {done} played, {len(own) - done} were there", file=sys.stderr)


def dask(args):
    """Gives the tasks to Dask; one that is lost with its worker is done by another."""
    from dask.distributed import Client, LocalCluster, as_completed

    written = read_plan(args.out)
    todo = [task for task in tasks(written) if not result_of(args.out, written, task).exists()]
    cluster = None
    if not args.scheduler:
        cluster = LocalCluster(n_workers=args.workers, threads_per_worker=1, dashboard_address=None)
    with Client(args.scheduler or cluster) as client:
        if args.pids:
            pids = client.run(os.getpid)
            Path(args.pids).write_text("\n".join(str(pid) for pid in pids.values()))
        # What a worker has done stands in its file: nothing goes through the network but that it is done.
        futures = [client.submit(play, args.out, written, task, pure=False, retries=3) for task in todo]
        failed = [future.exception() for future in as_completed(futures) if future.status == "error"]
    if cluster:
        cluster.close()
    for error in failed:
        print(error, file=sys.stderr)
    print(f"{len(todo) - len(failed)} played, {len(tasks(written)) - len(todo)} were there", file=sys.stderr)
    if failed:
        sys.exit(1)


def differences(before, after):
    """Says in what two results of one log differ; what costs, not what comes of it, stands apart."""
    if before["exit"] != after["exit"] or "summary" not in before or "summary" not in after:
        if before["exit"] == after["exit"]:
            return []
        return [("exit", before["exit"], after["exit"])]
    found = []
    one, two = (result["summary"]["plugins"][0] if result["summary"]["plugins"] else {} for result in (before, after))
    for name in ("state", "reason", "faults", "notifications"):
        if one.get(name) != two.get(name):
            found.append((name, one.get(name), two.get(name)))
    for path in sorted(set(one.get("paths", {})) | set(two.get("paths", {}))):
        was, is_now = one.get("paths", {}).get(path), two.get("paths", {}).get(path)
        if was != is_now:
            counts = [told["values"] if told else 0 for told in (was, is_now)]
            found.append((path, *counts) if counts[0] != counts[1] else (path, "values", "other values"))
    return found


def table(args):
    written = read_plan(args.out)
    rows, missing, seconds, played, fuel, peaks = [], 0, 0.0, 0, {}, {}
    for log in written["logs"]:
        files = [result_of(args.out, written, (log, version)) for version in VERSIONS]
        if not all(file.exists() for file in files):
            missing += 1
            continue
        results = [json.loads(file.read_text()) for file in files]
        for version, result in zip(VERSIONS, results):
            seconds += result["seconds"]
            played += 1
            for plugin in result.get("summary", {}).get("plugins", []):
                fuel[version] = fuel.get(version, 0) + plugin.get("fuel", 0)
                peaks[version] = max(peaks.get(version, 0), plugin["peaks"]["linear_bytes"])
        rows += [{"log": log, "what": what, "before": was, "after": now} for what, was, now in differences(*results)]
    logs = {row["log"] for row in rows}
    total = {
        "logs": len(written["logs"]), "missing": missing, "differ": len(logs), "differences": rows, "fuel": fuel,
        "linear_bytes": peaks, "core_seconds_per_task": seconds / played if played else None,
    }
    if args.json:
        print(json.dumps(total))
    else:
        for row in rows:
            print(f"{Path(row['log']).name}\t{row['what']}\t{row['before']}\t{row['after']}")
        print(f"{len(logs)} of {len(written['logs'])} logs differ, {missing} are missing; fuel {fuel}, memory {peaks}")
        if played:
            print(f"{seconds / played:.3f} s of a core a task")
    if missing:
        sys.exit(2)
    sys.exit(1 if rows else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("plan")
    one.add_argument("--logs", required=True)
    one.add_argument("--before", required=True)
    one.add_argument("--after", required=True)
    one.add_argument("--config")
    one.add_argument("--skiff", default="skiff")
    one.set_defaults(run=plan)
    two = commands.add_parser("work")
    # What Kubernetes gives each pod of an indexed job.
    two.add_argument("--index", type=int, default=int(os.environ.get("JOB_COMPLETION_INDEX", "0")))
    two.add_argument("--of", type=int, default=1)
    two.set_defaults(run=work)
    three = commands.add_parser("dask")
    three.add_argument("--workers", type=int, default=2)
    three.add_argument("--scheduler")
    three.add_argument("--pids", help="write the workers' process numbers there")
    three.set_defaults(run=dask)
    four = commands.add_parser("table")
    four.add_argument("--json", action="store_true")
    four.set_defaults(run=table)
    for command in (one, two, three, four):
        command.add_argument("--out", required=True)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
