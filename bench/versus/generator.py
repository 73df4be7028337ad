"""Runs of `zooid bench`, which checks every reply: a wrong one ends everything."""

import json
import os
import subprocess
import sys

VALUE_BYTES = 100


class Generator:
    def __init__(self, command):
        self.command = command
        # Cores that it has used, in each run that loads a server.
        self.cores = []

    def run(self, workload, service, *options, members=None):
        """What one run reports. The members' processes are watched, all if none is named."""
        # What one server has left to be written must not be charged to the other.
        os.sync()
        report = self.finish(self.start(workload, service, *options, members=members))
        if report.get("generator"):
            self.cores.append(report["generator"]["cpu_cores"])
        return report

    def start(self, workload, service, *options, members=None):
        """The same, but does not wait for its end."""
        watched = service.members if members is None else members
        servers = ",".join(member.connect_string() for member in watched)
        command = [*self.command, workload, "--json", "--server", servers,
                   "--value-size", str(VALUE_BYTES)]
        for member in watched:
            command += ["--watch-process", f"server{member.number}={member.process.pid}"]
        command += map(str, options)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        process.what = f"{workload} on {service.name}"
        return process

    def finish(self, process):
        output, _ = process.communicate()
        if process.returncode != 0:
            sys.exit(f"{process.what} has failed:\n{output}")
        return json.loads(output)

    def floor(self, directory, size, seconds):
        """What one sync of so many bytes and two round trips take here, in microseconds."""
        command = [*self.command, "floor", "--json", "--directory", str(directory),
                   "--value-size", str(size), "--duration", str(seconds)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit("the floor cannot be measured")
        return {name: phase["latency_us"]["p50"]
                for name, phase in json.loads(done.stdout)["phases"].items()}


def cpu_us_per_operation(report):
    """Of all watched processes together."""
    return sum(process["cpu_us_per_operation"] for process in report["processes"])
