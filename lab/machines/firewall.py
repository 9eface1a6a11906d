"""Rules of iptables on a machine, told apart by the comment that each carries."""

from lab.machines.machine import Machine


def remove(machine: Machine, table: str, mark: str) -> None:
    """Take away all rules of a table that carry this comment; none is fine. Raises CommandFailed."""
    for line in machine.run("iptables", "-t", table, "-S").splitlines():
        if mark in line:
            machine.run("iptables", "-t", table, "-D", *line.replace('"', "").split()[1:])
