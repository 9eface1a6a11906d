"""`harbor-verify audit`: every image, or as far as it comes; a report in a folder of its own."""

import argparse
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from harbor_verify import beside_runs, known_secrets, providers, running_replicas
from harbor_verify.audit import cache, harbor, records, result, storage
from harbor_verify.audit.notebook import FILE, Notebook
from harbor_verify.audit.pace import Pace
from harbor_verify.audit.result import Result
from harbor_verify.audit.walk import Stopped, Walk
from harbor_verify.errors import HarnessError, SettingsError
from harbor_verify.model.roles import Role
from harbor_verify.plugin.options import TITLE, add_settings, given_of
from harbor_verify.redaction import Redaction
from harbor_verify.settings import Settings, load
from harbor_verify.target import Target, reach
from harbor_verify.verdict import Failure

DESCRIPTION = """\
Reads every image that Harbor knows, as bytes, from its registry's replicas:
manifests, configurations and layers, each with its size and digest; then
compares what Redis, the database and the volume say. Nothing is changed.
"""
EPILOG = """\
examples:
  harbor-verify audit --namespace harbor
  harbor-verify audit --namespace harbor \\
    --bytes-per-s 20000000 --requests-per-s 50
  harbor-verify audit --namespace harbor \\
    --resume reports/audits/2026-11-28T07-30-00Z

Ctrl-C ends it with a report of what was seen; --resume goes on from there.

exit codes:
  0  every image is whole
  1  something is not as it must be, or could not be found out;
     with --strict-advice: or is left over
  2  interrupted
  4  the target cannot be reached, or the settings are wrong
"""
_EVERY_S = 10
_MOST_ASKED_AGAIN = 1000
"""Of more findings the first ones: that all were deleted meanwhile is unlikely then."""


def main(words: list[str], environment: dict[str, str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(words)
    try:
        settings = _settings(options, dict(os.environ) if environment is None else environment)
        target = reach(providers.provide(settings), settings)
    except HarnessError as error:
        _say(Redaction().text(str(error)))
        return 4
    redaction = Redaction(known_secrets.of_credentials(target.credentials))
    known_secrets.learn(redaction, target.deployment)
    try:
        folder = _folder(options, settings)
        found = _audit(target, folder, options, redaction)
    except (HarnessError, Failure) as error:
        _say(redaction.text(str(error)))
        return 4
    finally:
        target.close()
    text = redaction.text(result.text(found))
    (folder / "audit.txt").write_text(text)
    whole = redaction.structure(result.document(found))
    (folder / "audit.json").write_text(json.dumps(whole, indent=1))
    sys.stdout.write(json.dumps(whole, indent=1) + "\n" if options.json else text)
    _say(f"report: {folder}")
    if found.ended:
        _say(f"--resume {folder} goes on from there")
    return found.exit_code(strict=bool(settings.strict_advice))


def whole(target: Target, folder: Path, redaction: Redaction) -> Result:
    """An audit of every image with what this command does unasked; its notebook goes to the folder.

    Raises SettingsError.
    """
    return _audit(target, folder, _parser().parse_args([]), redaction)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="harbor-verify audit",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    audit = parser.add_argument_group("the audit")
    audit.add_argument(
        "--bytes-per-s",
        type=float,
        default=100e6,
        metavar="N",
        help="at most (default: 100000000; 0: no limit)",
    )
    audit.add_argument(
        "--requests-per-s", type=float, default=500, metavar="N", help="at most (default: 500; 0: no limit)"
    )
    audit.add_argument("--threads", type=int, default=4, metavar="N", help="requests at once (default: 4)")
    audit.add_argument(
        "--every-replica",
        action="store_true",
        help="read every byte from every registry replica, not once and its first byte from the others",
    )
    audit.add_argument(
        "--no-api", action="store_true", help="list by the database alone, where there is a way to it"
    )
    audit.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with an audit that was stopped")
    audit.add_argument("--json", action="store_true", help="print the report as JSON")
    target = parser.add_argument_group(TITLE)
    add_settings(target.add_argument)
    return parser


def _settings(options: argparse.Namespace, environment: dict[str, str]) -> Settings:
    return load(given_of(lambda name: getattr(options, name, None)), environment, Path.cwd())


def _folder(options: argparse.Namespace, settings: Settings) -> Path:
    if options.resume:
        if not (options.resume / FILE).is_file():
            raise SettingsError(f"--resume {options.resume}: there is no {FILE} in it")
        return options.resume
    return beside_runs.make(settings.report_dir, "audits")


def _audit(target: Target, folder: Path, options: argparse.Namespace, redaction: Redaction) -> Result:
    pace = Pace(requests_per_s=options.requests_per_s, bytes_per_s=options.bytes_per_s)
    begun_s, interrupted, ended = time.monotonic(), False, ""
    remarks: list[str] = []
    replicas: list[str] = []
    notebook = Notebook(folder / FILE)
    if notebook.noted("url", target.url) != target.url:
        raise SettingsError(f"{folder} is about another Harbor, {notebook.noted('url')}")
    notebook.note("url", target.url)
    notebook.forget_unknowns()
    progress = _Progress(notebook, pace, redaction)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            run = _Run(target, notebook, pace, options, progress, remarks, stack)
            replicas = [source.place for source in run.sources]
            run.all()
    except KeyboardInterrupt:
        interrupted, ended = True, "it was interrupted"
    except Stopped as stopped:
        ended = str(stopped)
    pace.stop.set()
    found = Result(
        result.gather(notebook), notebook.unknowns(), notebook.counts(), remarks=remarks, url=target.url
    )
    found.replicas = replicas
    found.interrupted, found.ended = interrupted, ended
    found.figures = {
        "duration_s": round(time.monotonic() - begun_s, 1),
        "requests_count": pace.requests,
        "read_bytes": pace.bytes,
        "memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    notebook.close()
    return found


class _Run:
    """The steps of an audit, each of which may be missing a way to what it compares."""

    def __init__(
        self,
        target: Target,
        notebook: Notebook,
        pace: Pace,
        options: argparse.Namespace,
        progress: "_Progress",
        remarks: list[str],
        stack: ExitStack,
    ) -> None:
        self.target, self.notebook, self.options = target, notebook, options
        self.progress, self.remarks, self.stack = progress, remarks, stack
        self.sources = harbor.sources(target)
        self.walk = stack.enter_context(
            Walk(
                notebook,
                self.sources,
                pace,
                threads=options.threads,
                whole_everywhere=options.every_replica,
                tick=progress.tick,
            )
        )

    def all(self) -> None:
        self._list()
        self.progress.step("reading manifests")
        self.walk.read_manifests()
        self.progress.step("reading configurations and layers")
        self.walk.read_blobs()
        self.progress.step("comparing what Redis says")
        self._try("the registry's Redis", self._compare_cache)
        if self.notebook.noted("database"):
            self.progress.step("comparing what the database says")
            self._try("database", self._compare_database)
            self.progress.step("looking for what is left over in the volume")
            self._try("volume of the images", self._compare_storage)
        self.progress.step("asking again for what is not well")
        self._forget_deleted()

    def _list(self) -> None:
        noted, front, contents = self.notebook, self.target.front_door, self.target.profile.contents
        if noted.noted("listed"):
            self.remarks.append(f"Goes on with what was listed at {noted.noted('listed')}.")
            return
        if not self.options.no_api:
            self.progress.step("listing by the API")
            records.list_api(noted, front, self.target.credentials, self.progress.tick)
        if contents:
            self.progress.step("listing by the database")
            try:
                with self.target.sql() as sql:
                    records.list_database(noted, contents, sql, self.progress.tick)
                noted.note("database", "listed")
            except (HarnessError, Failure) as reason:
                self.notebook.leave_unknown("database", f"it was NOT asked: {reason}")
        else:
            self.remarks.append(
                "This generation's database is not asked: what it has left over was NOT looked for."
            )
        noted.note("listed", datetime.now(UTC).isoformat(timespec="seconds"))
        noted.save()

    def _compare_database(self) -> None:
        contents = self.target.profile.contents
        if contents:
            with self.target.sql() as sql:
                records.compare(self.notebook, contents, sql, self.target.front_door, self.target.credentials)

    def _compare_cache(self) -> None:
        store = harbor.cache_of(self.target)
        if store is None:
            self.remarks.append("The registry keeps no descriptors in a Redis.")
            return
        place, seen = f"Redis {store}", {}

        def knows(repository: str) -> bool:
            if repository not in seen:
                seen[repository] = self.notebook.has_repository(repository) or harbor.knows_repository(
                    self.target, repository
                )
            return seen[repository]

        with harbor.open_cache(self.target, store) as redis:
            cache.descriptors(self.notebook, redis, place)
            cache.links(self.notebook, self.walk, redis, place, knows)

    def _compare_storage(self) -> None:
        replica = next(each for each in self.target.replicas(Role.REGISTRY) if each.ready)
        root = harbor.root_of(self.target, replica)
        if root is None:
            self.remarks.append("Images are in an object store: what is left over in it was NOT looked for.")
            return
        listed = storage.all_files(lambda argv: running_replicas.output_of(self.target, replica, argv), root)
        for found in listed:
            self.notebook.tell(storage.orphans(found, self._recorded, replica.object))
            self.progress.tick()

    def _recorded(self, digests: list[str]) -> set[str]:
        """By the database as it is now: what was pushed since all was listed is no orphan."""
        contents = self.target.profile.contents
        with self.target.sql() as sql:
            return contents.recorded(sql, digests) if contents else set()

    def _forget_deleted(self) -> None:
        """Take back what is wrong with images that somebody has deleted since they were listed."""
        front, login = self.target.front_door, self.target.credentials
        taken = 0
        for each in result.gather(self.notebook)[:_MOST_ASKED_AGAIN]:
            images = self.notebook.images_of(each.digest)
            if not images or not each.images:
                continue
            try:
                there = any(front.has_artifact(known.repository, known.digest, login) for known in images)
            except HarnessError:
                there = True
            if not there:
                self.notebook.take_back(each.kind, each.digest)
                taken += 1
        if taken:
            self.remarks.append(f"{taken} findings are not told: their images were deleted meanwhile.")

    def _try(self, thing: str, step: Callable[[], None]) -> None:
        try:
            step()
        except (HarnessError, Failure) as reason:
            self.notebook.leave_unknown(thing, str(reason))


class _Progress:
    """A line on standard error now and then."""

    def __init__(self, notebook: Notebook, pace: Pace, redaction: Redaction) -> None:
        self._notebook, self._pace, self._redaction = notebook, pace, redaction
        self._told_s = self._begun_s = time.monotonic()
        self._step = ""

    def step(self, what: str) -> None:
        self._step = what
        self._tell()

    def tick(self) -> None:
        if time.monotonic() - self._told_s >= _EVERY_S:
            self._notebook.save()
            self._tell()

    def _tell(self) -> None:
        self._told_s = time.monotonic()
        counts, passed_s = self._notebook.counts(), self._told_s - self._begun_s
        _say(
            f"{passed_s / 60:5.1f} min  {self._step}: {counts['artifacts_read']:,} of {counts['artifacts']:,} "
            f"artifacts, {counts['blobs_read']:,} of {counts['blobs']:,} blobs, {self._pace.bytes / 2**30:.2f} GiB, "
            f"{counts['troubles']} not well"
        )


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
