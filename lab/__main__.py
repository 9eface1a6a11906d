"""The lab on the command line: `python -m lab --help`."""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from lab import cluster, copies, defects, health, layouts, profiles
from lab.deployment import bases, verifier_image
from lab.errors import Interrupted, LabError, UnfitMachine
from lab.machines import topology
from lab.programs import toolchain

DESCRIPTION = """\
A real, highly available Harbor on this one machine: three Kubernetes nodes, CephFS, a database cluster, Redis with
Sentinel, and Harbor 1.2 or 2.x in pods, or both (its own programs are a stand-in). For Debian 12, as root."""

EPILOG = """\
exit codes:
  0  done
  1  it could not be done; the message says which step failed, and the same command goes on from there
  2  interrupted, or wrong usage
  4  this machine cannot carry the lab
"""


def main(words: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(words)
    # A terminated `up` gives up like an interrupted one, instead of leaving its programs behind it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return options.run(options) or 0
    except UnfitMachine as unfit:
        return _complain(str(unfit), 4)
    except (KeyboardInterrupt, Interrupted):
        return _complain(
            "interrupted; `python -m lab up` goes on from here, `python -m lab down` removes it", 2
        )
    except LabError as error:
        return _complain(str(error), 1)
    except BrokenPipeError:
        # `| head` has read enough; what is still to be written goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: object, help: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help)
        added.set_defaults(run=run)
        return added

    def with_profile(added: argparse.ArgumentParser, *more: str) -> argparse.ArgumentParser:
        added.add_argument(
            "--profile",
            choices=(*profiles.ALL, *more),
            default=profiles.DEFAULT,
            help="which generation of Harbor (default: %(default)s)",
        )
        return added

    upping = with_profile(
        command("up", _up, "stand the lab up, or mend what is there; prints where its Harbor is"),
        profiles.EVERY,
    )
    upping.add_argument(
        "--layout",
        metavar="NAME",
        help="how Harbor is deployed (default: as it is there, at first as the manifests of deploy/ say)",
    )
    upping.add_argument(
        "--manifests",
        metavar="FILE",
        type=Path,
        help="deploy these instead: what `helm template` makes of Harbor's chart with values of your own",
    )
    upping.add_argument(
        "--images",
        metavar="FILE",
        type=Path,
        help="run Harbor's own programs: the archive of a release, or what `docker save` writes of its images "
        "(the word stand-in: no longer)",
    )
    with_profile(command("layouts", _layouts, "list the layouts, that is, the ways of deploying Harbor"))
    command(
        "down",
        _down,
        "end all that the lab started and remove all that it wrote (compiled programs are kept)",
    )
    status = command(
        "status", _status, "say what is there, part by part; exit code 1 when something is not well"
    )
    status.add_argument("--json", action="store_true", help="as JSON, for programs")
    command("prepare", _prepare, "install and compile what the lab needs, and start nothing")
    command(
        "conformance", _conformance, "compile the OCI distribution conformance suite, and say where it is"
    )
    command("clients", _clients, "get clients of a registry beside docker, and say in which folder they are")
    command(
        "image", _image, "make the image of the verifier itself, and say which archive `docker load` takes"
    )
    command("bases", _bases, "make the images that the suite builds on, and say in which archive they are")
    breaking = with_profile(
        command("break", _break, "plant a defect, to see that the checks find it; without NAME, list them")
    )
    breaking.add_argument("name", nargs="?", metavar="NAME", help="which defect")
    with_profile(command("heal", _heal, "take every planted defect away"), profiles.EVERY)
    taking = command(
        "copy", _copy, "copy the lab's Harbor 2.x, as an operator does each night: for restore drills"
    )
    taking.add_argument("folder", metavar="FOLDER", type=Path, help="where the copy goes")
    taking.add_argument(
        "--storage-first",
        action="store_true",
        help="the wrong way round: before the database, and not after it",
    )
    restoring = command(
        "restore", _restore, "bring a second Harbor up in a namespace of its own, made of a copy"
    )
    restoring.add_argument("folder", metavar="FOLDER", type=Path, help="where the copy is")
    command("remove-restored", _remove_restored, "take the second Harbor away")
    enter = command(
        "enter", _enter, "run a command on one of the lab's machines, e.g. enter node-1 -- ip route"
    )
    enter.add_argument("machine", metavar="MACHINE")
    enter.add_argument("argv", nargs="+", metavar="WORD")
    return parser


def _up(options: argparse.Namespace) -> None:
    target = cluster.up(options.profile, options.layout, manifests=options.manifests, images=options.images)
    for profile in profiles.chosen(options.profile):
        url = cluster.target(profile.name).harbor_url
        for remark in cluster.target(profile.name).remarks:
            _say(f"  {remark}")
        _say(f"{profile.name} answers on {url} (admin / {target.admin_password})")
    _say(
        f"kubectl --kubeconfig={target.kubeconfig} get pods --namespace={target.namespace}"
        f"     docker --host={target.docker_host} info"
    )


def _layouts(options: argparse.Namespace) -> None:
    profile = profiles.find(options.profile)
    for name, layout in layouts.every(profile).items():
        _say(f"{name:20} {layout.about}{' (there now)' if name == layouts.chosen(profile) else ''}")


def _down(_: argparse.Namespace) -> None:
    cluster.down()
    _say("the lab is down; nothing of it runs, is mounted or is configured on this machine")


def _prepare(_: argparse.Namespace) -> None:
    cluster.prepare()


def _conformance(_: argparse.Namespace) -> None:
    _say(str(toolchain.conformance()))


def _clients(_: argparse.Namespace) -> None:
    _say(str(toolchain.clients()))


def _bases(_: argparse.Namespace) -> None:
    archive, _names = bases.make()
    _say(str(archive))


def _status(options: argparse.Namespace) -> int:
    parts = health.parts()
    if options.json:
        _say(json.dumps([part.__dict__ for part in parts], indent=1))
    else:
        for part in parts:
            _say(f"{'✓' if part.well else '✗'} {part.name:24} {part.observed}")
    return 0 if all(part.well for part in parts) else 1


def _image(_: argparse.Namespace) -> None:
    _say(str(verifier_image.build()))


def _break(options: argparse.Namespace) -> None:
    profile = profiles.find(options.profile)
    if options.name is None:
        for name, defect in defects.every(profile).items():
            _say(f"{name:36} {defect.shows}")
        return
    defect = defects.find(profile, options.name)
    with cluster.only_one():
        defects.plant(cluster.Deployed(profile), options.name)
    _say(f"planted: {defect.shows}\nmust turn red:")
    for check in sorted(defect.turns_red):
        _say(f"  {check}")


def _copy(options: argparse.Namespace) -> None:
    copies.take(options.folder, storage_first=options.storage_first)


def _restore(options: argparse.Namespace) -> None:
    copies.restore(options.folder)
    _say(f"the Harbor of the copy answers on {copies.RESTORED.url}, namespace {copies.RESTORED.namespace}")


def _remove_restored(_: argparse.Namespace) -> None:
    copies.remove()


def _heal(options: argparse.Namespace) -> None:
    for profile in profiles.chosen(options.profile):
        if options.profile == profiles.EVERY and profile not in profiles.deployed():
            continue
        with cluster.only_one():
            healed = defects.heal(cluster.Deployed(profile))
        _say(
            f"healed: {healed}"
            if healed
            else f"no defect was planted; {profile.name} is as its manifests say"
        )


def _enter(options: argparse.Namespace) -> None:
    machines = {machine.name: machine for machine in topology.ALL}
    if options.machine not in machines:
        raise LabError(f"there is no machine {options.machine}; there are {', '.join(machines)}")
    _say(machines[options.machine].run(*options.argv).rstrip())


def _say(text: str) -> None:
    print(text, flush=True)


def _complain(text: str, exit_code: int) -> int:
    print(f"lab: {text}", file=sys.stderr, flush=True)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
