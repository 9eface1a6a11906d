"""`harbor-verify drill`: the operator's own copy of Harbor, taken while pushes go on, is restored beside it."""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from harbor_verify import beside_runs, cleanup, entry
from harbor_verify.audit.command import whole as audit
from harbor_verify.drill import commands, result
from harbor_verify.drill.commands import CommandFailed
from harbor_verify.drill.comparison import compare, known_digests
from harbor_verify.drill.judgement import Became, Drill, Times
from harbor_verify.drill.pushes import Push, Pushes
from harbor_verify.errors import AnswerError, CannotTell, HarnessError, SettingsError
from harbor_verify.plugin.options import TITLE, add_settings, given_of
from harbor_verify.reached import reached
from harbor_verify.redaction import Redaction
from harbor_verify.settings import Settings, load
from harbor_verify.target import Target
from harbor_verify.under_lease import making
from harbor_verify.verdict import Failure

DESCRIPTION = """\
Tries whether what you copy of Harbor is a Harbor. Small images are pushed while
your command copies database, storage and secrets; another command of yours
brings the copy up in a namespace of its own; and it is said

  which pushes are in it, and how many seconds of them are not  (RPO)
  how long it took until an image came back whole               (RTO)
  whether every image of it is whole                            (an audit)

The Harbor that people use is only pushed to: a project of the run's own, which
is removed at the end. What is restored is yours: --remove takes it away.
"""
EPILOG = """\
example:
  harbor-verify drill --namespace harbor \\
    --copy ./nightly-backup.sh \\
    --restore './restore.sh harbor-drill' --restored-namespace harbor-drill \\
    --remove 'kubectl delete namespace harbor-drill' \\
    --rpo-budget-s 60 --rto-budget-s 1800

The restored Harbor needs the same secrets (key of stored passwords, key of
tokens), and a URL of its own. Commands are the shell's; what they print is kept
in the folder of the drill; they are given no setting of the suite's.
docs/drill.md says more, and shows it in the lab.

exit codes:
  0  every push of before the copy came back whole, every image is whole, and
     both budgets are kept
  1  something is lost or broken, took longer than its budget, or could not be
     found out
  2  interrupted
  4  the target cannot be reached, a command failed before anything was
     restored, or the settings are wrong
"""
_SETTINGS = frozenset(
    (
        *("kubeconfig", "context", "namespace", "profile", "release", "harbor_url", "admin_user"),
        *("admin_password", "credentials_secret", "ca_file", "insecure", "settings_file", "report_dir"),
        *("database_address", "session_store_address", "database_ca_file", "session_store_ca_file"),
        *("connect_timeout_s", "request_timeout_s", "converge_timeout_s"),
    )
)
"""Those of a run that this command looks at."""
_AGAIN_S = 1.0
_SURE_AFTER = 10
_LEFT = "what was made could not be removed"
"""Times in a row that a restored Harbor says it has none of the images that it must have, before it is believed."""


def main(words: list[str], environment: Mapping[str, str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(words)
    environment = dict(os.environ) if environment is None else environment
    redaction, left = Redaction(), list[str]()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        settings = load(given_of(lambda name: getattr(options, name, None)), environment, Path.cwd())
        folder = beside_runs.make(settings.report_dir, "drills")
        drill = _drill(options, settings, environment, folder, redaction, left)
    except (HarnessError, Failure) as error:
        _say(f"harbor-verify drill: {redaction.text(str(error))}")
        return _ended_early(4, left, redaction)
    except KeyboardInterrupt:
        _say("interrupted: nothing was judged")
        return _ended_early(2, left, redaction)
    drill.unknown += [f"{_LEFT}: {line}" for line in left]
    text, found = redaction.text(result.text(drill)), redaction.structure(result.document(drill))
    (folder / "drill.txt").write_text(text)
    (folder / "drill.json").write_text(json.dumps(found, indent=1))
    sys.stdout.write(json.dumps(found, indent=1) + "\n" if options.json else text)
    _say(f"report: {folder}")
    return drill.exit_code(rpo_budget_s=options.rpo_budget_s, rto_budget_s=options.rto_budget_s)


def _drill(
    options: argparse.Namespace,
    settings: Settings,
    environment: Mapping[str, str],
    folder: Path,
    redaction: Redaction,
    left: list[str],
) -> Drill:
    """What was seen; what could not be removed is put into `left`, whatever is raised."""

    def run(what: str, command: str) -> float:
        _say(f"{what}: {command}")
        took_s = commands.run(what, command, folder, environment, timeout_s=options.timeout_s, tell=_say)
        _say(f"{what}: done after {took_s:.1f} s")
        return took_s

    run_id = cleanup.new_run_id(datetime.now(UTC))
    with reached(settings, redaction) as live:
        entry.require(live)
        with making(live, redaction, run_id, left, tell=_say), _removing(options, run, left) as restoring:
            pushes = _copy_among_pushes(live, options, run_id, run)
            restoring()
            begun_s = time.monotonic()
            try:
                run("restore", options.restore)
                drill = _judge(
                    options, settings, folder, redaction, pushes, begun_s, live.credentials.password
                )
            except CommandFailed as failed:
                drill = Drill(pushes.times, [], pushes.refused, unknown=[str(failed)])
    return drill


def _ended_early(code: int, left: list[str], redaction: Redaction) -> int:
    """The exit code, after what is still there is told."""
    for line in left:
        _say(f"{_LEFT}: {redaction.text(line)}")
    return code


@dataclass(frozen=True)
class _Pushed:
    """What was pushed around the copy. `mark`: after it was done."""

    acknowledged: list[Push]
    refused: list[str]
    mark: Push
    times: Times


def _copy_among_pushes(
    live: Target, options: argparse.Namespace, run_id: str, run: Callable[[str, str], float]
) -> _Pushed:
    repository = f"{live.belongings.project()}/drill"
    link = live.new_front_door_link("pushes")
    try:
        # A token lasts for half an hour, and a copy may take longer: each push asks for its own.
        with Pushes(
            lambda: live.front_registry(live.client, link),
            repository,
            run_id,
            per_s=options.pushes_per_s,
            tell=_say,
        ) as pushes:
            _say(f"pushing for {options.before_s:g} s before the copy begins")
            time.sleep(options.before_s)
            if not pushes.acknowledged:
                refusal = pushes.refused[0] if pushes.refused else "none was answered yet"
                raise CannotTell(f"no push was taken before the copy began: {refusal}")
            began_s = time.monotonic()
            run("copy", options.copy)
            done_s = time.monotonic()
            pushes.stop()
            mark = pushes.one()
    finally:
        link.close()
    return _Pushed(pushes.acknowledged, pushes.refused, mark, Times(began_s, done_s))


@contextmanager
def _removing(
    options: argparse.Namespace, run: Callable[[str, str], float], left: list[str]
) -> Iterator[Callable[[], None]]:
    """What is called before anything is restored: from then on --remove is run at the end, whatever happens."""
    begun: list[bool] = []
    try:
        yield lambda: begun.append(True)
    finally:
        if begun and options.remove:
            try:
                run("remove", options.remove)
            except CommandFailed as failed:
                left.append(str(failed))


def _judge(
    options: argparse.Namespace,
    settings: Settings,
    folder: Path,
    redaction: Redaction,
    pushes: _Pushed,
    begun_s: float,
    password: str,
) -> Drill:
    elsewhere = {
        "namespace": options.restored_namespace,
        "harbor_url": options.restored_url,
        "context": options.restored_context or settings.context,
        # It has the same accounts. Addresses were given of the stores of the one that is copied.
        "admin_password": SecretStr(password),
        "credentials_secret": None,
        "database_address": None,
        "session_store_address": None,
    }
    restored_settings = settings.model_copy(update=elsewhere)
    with ExitStack() as stack:
        restored, after_s = _wait(restored_settings, redaction, pushes, begun_s, options.timeout_s, stack)
        times = Times(pushes.times.copy_began_s, pushes.times.copy_done_s, after_s)
        drill = Drill(times, [], pushes.refused)
        if restored is None:
            drill.unknown.append(
                "what became of the pushes: the restored Harbor gave no answer in the time it had"
            )
            return drill
        repository, admin = pushes.mark.repository, restored.credentials
        try:
            known = known_digests(restored.front_door, repository, admin)
        except AnswerError as silent:
            drill.unknown.append(f"what the restored Harbor shows of {repository}: {silent}")
            return drill
        if pushes.mark.digest in known:
            raise SettingsError(
                f"Harbor in namespace {options.restored_namespace} knows an image that was pushed after the copy was "
                "done: it is no copy, but has database or storage in common with the one that people use"
            )
        _say(f"reading {len(pushes.acknowledged)} pushes back")
        drill.found = list(compare(pushes.acknowledged, restored.front_registry(admin), known))
        if options.audit:
            _say("reading every image of the restored Harbor")
            drill.audit = audit(restored, folder, redaction)
    return drill


def _wait(
    settings: Settings,
    redaction: Redaction,
    pushes: _Pushed,
    begun_s: float,
    timeout_s: float,
    stack: ExitStack,
) -> tuple[Target | None, float | None]:
    """(the restored Harbor or None where it does not answer, after how many seconds an image came back or None)."""
    must = [each for each in pushes.acknowledged if each.acknowledged_s < pushes.times.copy_began_s]
    witnesses = dict.fromkeys([must[-1], must[0]])
    target: Target | None = None
    last, absent = "", 0
    while time.monotonic() - begun_s < timeout_s:
        try:
            if target is None:
                with ExitStack() as attempt:
                    now_there = attempt.enter_context(reached(settings, redaction))
                    entry.require(now_there)
                    stack.push(attempt.pop_all())
                target = now_there
            found = list(compare(witnesses, target.front_registry(target.credentials), frozenset()))
            if any(each.became is Became.WHOLE for each in found):
                return target, time.monotonic() - begun_s
            absent = absent + 1 if all(each.became is not Became.UNKNOWN for each in found) else 0
            if absent == _SURE_AFTER:
                return target, None
            now = "; ".join(each.observed for each in found)
        except (HarnessError, Failure) as not_yet:
            now = redaction.text(str(not_yet))
        if now != last:
            _say(f"waiting for the restored Harbor: {now}")
            last = now
        time.sleep(_AGAIN_S)
    return None, None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="harbor-verify drill",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = parser.add_argument_group("the drill")
    add = group.add_argument
    add("--copy", required=True, metavar="COMMAND", help="copies database, storage and secrets, and ends")
    add("--restore", required=True, metavar="COMMAND", help="brings up a Harbor of that copy")
    add(
        "--remove", metavar="COMMAND", help="takes the restored Harbor away; run at the end, whatever happens"
    )
    add("--restored-namespace", required=True, metavar="NAME", help="where the restored Harbor is")
    add("--restored-url", metavar="URL", help="its front door (default: what its own settings name)")
    add(
        "--restored-context", metavar="NAME", help="context of the kubeconfig, where it is in another cluster"
    )
    add("--pushes-per-s", type=_positive, default=2.0, metavar="N", help="small images a second (default: 2)")
    add(
        "--before-s",
        type=_positive,
        default=10.0,
        metavar="SECONDS",
        help="how long to push before the copy begins (default: 10)",
    )
    add(
        "--timeout-s",
        type=_positive,
        default=7200.0,
        metavar="SECONDS",
        help="how long a command may take, and the restored Harbor until it answers (default: 7200)",
    )
    add(
        "--rpo-budget-s",
        type=float,
        metavar="SECONDS",
        help="seconds of pushes that may be lost (default: any)",
    )
    add(
        "--rto-budget-s",
        type=float,
        metavar="SECONDS",
        help="seconds until an image comes back (default: any)",
    )
    add(
        "--no-audit",
        dest="audit",
        action="store_false",
        help="do not read every image of the restored Harbor",
    )
    add("--json", action="store_true", help="print the result as JSON")
    add_settings(parser.add_argument_group(TITLE).add_argument, only=_SETTINGS)
    return parser


def _positive(text: str) -> float:
    with suppress(ValueError):
        if (value := float(text)) > 0:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
