"""`harbor-verify baseline save FILE` before an upgrade, `harbor-verify baseline check FILE` after it."""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from harbor_verify import entry
from harbor_verify.baseline import during, logins, result
from harbor_verify.baseline.comparison import Comparison
from harbor_verify.baseline.file import Writer, load, replacing
from harbor_verify.baseline.fingerprints import Fingerprints
from harbor_verify.baseline.judgement import Said
from harbor_verify.baseline.reading import AGAIN, Reader
from harbor_verify.errors import AnswerError, HarnessError, SettingsError, TargetUnreachable
from harbor_verify.model.upgrades import Item, Listing, Unread
from harbor_verify.plugin.options import TITLE, add_settings, given_of
from harbor_verify.reached import reached
from harbor_verify.redaction import Redaction
from harbor_verify.settings import Settings
from harbor_verify.settings import load as load_settings
from harbor_verify.target import Target
from harbor_verify.verdict import Failure

DESCRIPTION = """\
Before an upgrade `save` writes what Harbor is and holds into FILE; after it
`check` compares, and calls each difference

  expected    an upgrade does that (versions, images, a newer schema), or people
              at work do (pushes)
  suspicious  somebody should look
  broken      somebody must do something; it says what

Compared are versions, images and replicas of the parts, rollouts, schema,
claims, secrets (by fingerprints), projects, repositories with tags and digests,
members, users, robots, quotas, policies, schedules, registries (each is pinged:
what is stored of it still decrypts), replication rules, settings, and how long
answers take.
Nothing is changed, but for what --during and --make-session say.
What cannot be read is told as that, and is neither the same nor another.
"""
EPILOG = """\
examples:
  harbor-verify baseline save before.json --namespace harbor
  helm upgrade …, kubectl rollout status …
  harbor-verify baseline check before.json --namespace harbor
  harbor-verify baseline check before.json --namespace harbor --during 900
    (begun before helm upgrade)

FILE is JSON (docs/baseline.schema.json), mode 0600, written as a whole or not
at all. No secret is in it; names of people, projects and images are.

exit codes:
  0  save: all was read and kept; check: nothing but what is expected
  1  save: a part could not be read (FILE is written, and says so);
     check: something is broken, or could not be found out;
     with --strict-advice: or is suspicious
  2  interrupted: nothing is written
  4  the target cannot be reached, FILE cannot be used, or the settings are
     wrong
"""
_EVERY_S = 10
_SETTINGS = frozenset(
    (
        *("lab", "kubeconfig", "context", "namespace", "profile", "release", "harbor_url", "admin_user"),
        *("admin_password", "ca_file", "insecure", "settings_file", "strict_advice", "docker_host"),
        *("database_address", "session_store_address", "database_ca_file", "session_store_ca_file"),
        *(
            "connect_timeout_s",
            "request_timeout_s",
            "converge_timeout_s",
            "recovery_budget_s",
            "confirmation_s",
        ),
        *("outage_budget_ms", "slow_answer_budget_ms", "flapping_budget_percent", "failed_requests_budget"),
        *("patience_s", "operations_per_s", "push_mib", "stop_when_outage_s"),
    )
)
"""Those of a run that this command looks at; the last two lines are of --during."""


def main(words: list[str], environment: Mapping[str, str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(words)
    redaction = Redaction()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        given = given_of(lambda name: getattr(options, name, None))
        settings = load_settings(given, dict(os.environ) if environment is None else environment, Path.cwd())
        known = logins.given(options.logins)
        redaction.learn(*known.values())
        if options.act == "save":
            return _save(options, settings, known, redaction)
        return _check(options, settings, known, redaction)
    except (HarnessError, Failure) as error:
        _say(f"harbor-verify baseline: {redaction.text(str(error))}")
        return 4
    except KeyboardInterrupt:
        _say("interrupted: nothing was written")
        return 2


def _save(
    options: argparse.Namespace, settings: Settings, known: Mapping[str, str], redaction: Redaction
) -> int:
    path: Path = options.file
    if path.exists() and not options.force:
        raise SettingsError(
            f"{path} is there already: it may be the only baseline of before (--force writes it anew)"
        )
    if not path.parent.is_dir():
        raise SettingsError(f"{path}: there is no folder {path.parent}")
    with reached(settings, redaction) as target:
        entry.require(target)
        remarks = _Remarks()
        fingerprints = Fingerprints()
        reader = Reader(target, fingerprints, redaction, remarks.add)
        progress = _Progress()
        unread: dict[str, str] = {}
        about = _about(target)
        with replacing(path) as stream:
            writer = Writer(stream, about, fingerprints.salt)
            for name, listing in _parts(reader, known):
                with writer.part(name) as part:
                    for item in progress.following(name, reader.entries(name, listing)):
                        if isinstance(item, Unread):
                            part.unread[item.key] = item.why
                            unread[f"{name} {item.key}".strip()] = item.why
                        else:
                            part.add(item.key, item.value)
            writer.close()
        if options.make_session:
            _say(f"session and token: {logins.keep(target, path)} (as good as the password while they live)")
    for remark in remarks:
        _say(f"remark: {remark}")
    for thing, why in unread.items():
        _say(f"NOT kept: {thing}: {why}")
    _say(f"baseline: {path}, {progress.things:,} things")
    return 1 if unread else 0


def _check(
    options: argparse.Namespace, settings: Settings, known: Mapping[str, str], redaction: Redaction
) -> int:
    baseline = load(options.file)
    before = logins.kept(options.file)
    if before:
        redaction.learn(before.cookie, before.token)
    with reached(settings, redaction) as target:
        _require_same_place(target, baseline.about)
        remarks = _Remarks()
        found = Comparison(baseline, target.profile.upgrade)
        if options.during:
            _watch(target, options, found, remarks, redaction)
        down = _why_down(target)
        reader = Reader(target, Fingerprints(baseline.salt), redaction, remarks.add, down)
        progress = _Progress()
        for name, listing in _parts(reader, known):
            read = progress.following(name, reader.entries(name, listing))
            again = (lambda n=name, each=listing: reader.entries(n, each)) if name in AGAIN else None
            found.compare(name, read, again)
        if not known and baseline.parts.get("logins"):
            found.leave("logins", "", "they were tried when the baseline was kept: give --logins again")
        found.finish()
        if before and not down:
            kept = baseline.part("settings").entries
            for thing, said in logins.judge(
                target, before, kept, lambda place, why: found.leave("sessions", place, redaction.text(why))
            ):
                if isinstance(said, Said):
                    found.tell("sessions", thing, said)
                else:
                    remarks.add(said)
        about = {"baseline": dict(baseline.about), "now": _about(target)}
    whole = result.document(found, about | {"remarks": list(remarks)})
    if options.json:
        sys.stdout.write(json.dumps(redaction.structure(whole), indent=1, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(redaction.text(result.text(found, list(remarks))))
    if found.is_broken or found.unknown or (settings.strict_advice and found.is_suspicious):
        return 1
    return 0


def _watch(
    target: Target,
    options: argparse.Namespace,
    found: Comparison,
    remarks: "_Remarks",
    redaction: Redaction,
) -> None:
    folder = options.file.with_name(f"{options.file.name}.during")
    try:
        survival, left = during.watch(target, folder, redaction, for_s=options.during, tell=_say)
    finally:
        # The end of what is made ignores it.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    for thing, each in during.said(survival):
        found.tell("clients", thing, each)
    for thing, why in during.unknown(survival):
        found.leave("clients", thing, redaction.text(why))
    for line in left:
        found.leave("clients", "what was made", redaction.text(f"could not be removed: {line}"))
    remarks.add(f"{during.figures(survival)} (history: {folder / during.HISTORY})")


def _parts(reader: Reader, known: Mapping[str, str]) -> Iterator[tuple[str, Listing]]:
    yield from reader.listings().items()
    if known:
        yield "logins", lambda: logins.entries(reader.target, known) if not reader.down else reader.silent()


def _about(target: Target) -> dict[str, Any]:
    """Of which Harbor, and when, by its own clock as far as it shows that."""
    taken = datetime.now(UTC)
    with suppress(AnswerError, KeyError, ValueError):
        taken = parsedate_to_datetime(target.front_door.http.get("/").headers["Date"])
    return {
        "taken": taken.isoformat(timespec="seconds"),
        "url": target.url,
        "namespace": target.namespace,
        "profile": target.profile.name,
    }


def _require_same_place(target: Target, about: Mapping[str, Any]) -> None:
    """Raises SettingsError where the baseline is of another Harbor than the one that is asked now."""
    if about.get("profile") != target.profile.name:
        raise SettingsError(
            f"the baseline is of {about.get('profile')}, and here is {target.profile.name}: they cannot be compared"
        )
    if about.get("url") != target.url and about.get("namespace") != target.namespace:
        raise SettingsError(
            f"the baseline is of {about.get('url')} in namespace {about.get('namespace')}, and not of {target.url} in "
            f"namespace {target.namespace}"
        )


def _why_down(target: Target) -> str:
    """Why nothing can be asked of Harbor itself; empty: it can. What the cluster tells is compared all the same."""
    try:
        entry.require(target)
    except (SettingsError, TargetUnreachable) as reason:
        return str(reason)
    return ""


class _Remarks(list[str]):
    """Each once."""

    def add(self, text: str) -> None:
        if text not in self:
            self.append(text)


class _Progress:
    """A line on standard error for each part, and now and then within one."""

    def __init__(self) -> None:
        self.things = 0
        self._begun_s = self._told_s = time.monotonic()

    def following(self, part: str, items: Iterator[Item]) -> Iterator[Item]:
        """The same items, counted."""
        count = 0
        for item in items:
            count += 1
            self.things += 1
            if time.monotonic() - self._told_s >= _EVERY_S:
                self._tell(f"{part}: {count:,} so far")
            yield item
        self._tell(f"{part}: {count:,}")

    def _tell(self, text: str) -> None:
        self._told_s = time.monotonic()
        _say(f"{self._told_s - self._begun_s:6.1f} s  {text}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="harbor-verify baseline",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("act", choices=("save", "check"), help="before the upgrade, or after it")
    parser.add_argument("file", type=Path, metavar="FILE", help="the baseline")
    group = parser.add_argument_group("the baseline")
    group.add_argument("--force", action="store_true", help="save: write FILE anew where it is there already")
    group.add_argument(
        "--logins",
        type=Path,
        metavar="FILE",
        help='passwords of users and robots that are to work before and after, {"robot$ci": "…"} as JSON; they are '
        "tried, and not kept",
    )
    group.add_argument(
        "--make-session",
        action="store_true",
        help="save: sign the administrator in, and keep session and token in FILE.session (mode 0600; as good as the "
        "password until they end, within the hour); check then tells whether they outlived the upgrade",
    )
    group.add_argument(
        "--during",
        type=float,
        metavar="SECONDS",
        help="check: begin before the upgrade, and keep clients at work for so long or until Ctrl-C: pushes, pulls, "
        "sign-ins, sessions; then tell what they saw, and compare. Makes projects of its own, which are removed",
    )
    group.add_argument("--json", action="store_true", help="check: print the result as JSON")
    add_settings(parser.add_argument_group(TITLE).add_argument, only=_SETTINGS)
    return parser


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
