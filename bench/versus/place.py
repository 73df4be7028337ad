"""Where things are, what has to be built and installed, and what machine this is."""

import json
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
DOCUMENT = REPOSITORY / "docs" / "performance.md"
ZOOKEEPER_JAR = Path("/usr/share/java/zookeeper.jar")

PROBE_WRITES = 300
PROBE_BYTES = 4096


def say(text):
    print(text, file=sys.stderr, flush=True)


def install_zookeeper():
    if ZOOKEEPER_JAR.exists():
        return
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "zookeeper"]
    subprocess.run([*as_root, "apt-get", "update"], check=True)
    subprocess.run([*as_root, *install], check=True)


def target_directory():
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1"],
        cwd=REPOSITORY, check=True, capture_output=True, text=True,
    )
    return Path(json.loads(metadata.stdout)["target_directory"])


def build_zooid(target):
    """The binary, built as it is released."""
    build = ["cargo", "build", "--release", "--package", "zooid"]
    subprocess.run(build, cwd=REPOSITORY, check=True)
    return str(target / "release" / "zooid")


def server_command(target):
    """The command of the server to measure; the path of a zoo.cfg is appended."""
    named = os.environ.get("ZOOID_SERVER")
    return shlex.split(named) if named else [build_zooid(target), "serve"]


def generator_command(target):
    named = os.environ.get("ZOOID_BENCH")
    return shlex.split(named) if named else [build_zooid(target), "bench"]


def first_match(pattern, text, otherwise):
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1).strip() if found else otherwise


def run_for_text(*command):
    try:
        done = subprocess.run(command, cwd=REPOSITORY, text=True, capture_output=True)
    except FileNotFoundError:
        return ""
    return (done.stdout + done.stderr).strip()


def machine(directory):
    cpu = first_match(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(),
                      platform.machine())
    kib = first_match(r"^MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(), "0")
    system = first_match(r'^PRETTY_NAME="?([^"\n]+)', Path("/etc/os-release").read_text(), "Linux")
    file_system = run_for_text("findmnt", "-no", "FSTYPE", "-T", str(directory)) or "unknown"
    return (f"{os.cpu_count()} cores ({cpu}), {int(kib) / 2**20:.0f} GiB, {system}, "
            f"Linux {platform.release()}, {file_system}")


def commit():
    return run_for_text("git", "describe", "--always", "--dirty") or "unknown"


def java_version():
    return first_match(r"(openjdk .+|java .+)$", run_for_text("java", "-version"), "java")


def probe_sync(directory):
    """Microseconds of write + fdatasync, median and 99th percentile, in a file that is there."""
    path = directory / "probe"
    block = os.urandom(PROBE_BYTES)
    times = []
    with path.open("wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, PROBE_BYTES * PROBE_WRITES)
        for i in range(PROBE_WRITES):
            start = time.perf_counter()
            os.pwrite(file.fileno(), block, i * PROBE_BYTES)
            os.fdatasync(file.fileno())
            times.append(1e6 * (time.perf_counter() - start))
    path.unlink()
    return statistics.median(times), statistics.quantiles(times, n=100)[98]
