"""What a run makes and breaks, written down before it is done: one ConfigMap a namespace.

    kubectl get configmap harbor-verify-ledger -o yaml

Each line of its data is one entry, RUN-ID.NUMBER, and goes when it is undone; the ConfigMap goes with the last. Only
whoever holds the namespace's Lease writes it. Clean-up, the next run and `harbor-verify heal` read it, and undo what it
says and nothing else.
"""

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from kubernetes import client

from harbor_verify.clients.kubernetes import Kubernetes
from harbor_verify.errors import TargetUnreachable

NAME = "harbor-verify-ledger"
MADE, BROKEN = "made", "broken"
_TRIES = 3
_OWN = ("act", "kind", "name", "at")


class Held(Protocol):
    """As much of a Lease as is needed here; both raise LeaseLost."""

    def require_held(self) -> None: ...

    def require_mine(self) -> None: ...


@dataclass(frozen=True)
class Entry:
    """One thing that was made or broken. `key` is unlike that of any other entry of any run."""

    key: str
    act: str
    """MADE or BROKEN."""
    kind: str
    """What Kubernetes calls it, or: project, user, robot, values, local image."""
    name: str
    more: Mapping[str, Any] = field(default_factory=dict)
    """What is needed to undo it: of what was broken the values before."""

    @property
    def run(self) -> str:
        """The id of the run that did it."""
        return self.key.rpartition(".")[0]


class Ledger:
    """The ledger of a namespace, in the hands of one run.

    Writing raises TargetUnreachable (RightMissing where this account may not) and LeaseLost: what could not be written
    down is not done.
    """

    def __init__(self, kubernetes: Kubernetes, namespace: str, run_id: str, lease: Held) -> None:
        self._kubernetes, self._namespace = kubernetes, namespace
        self._run_id, self._lease = run_id, lease
        self._lock = threading.RLock()
        self._number = 0
        self._version = ""
        """The resourceVersion that is written upon; empty: there is no ConfigMap, as far as is known."""
        self._entries: dict[str, Entry] = {}
        self.unreadable: list[str] = []
        """Keys of entries that somebody has edited, and that nobody can undo."""

    def read(self) -> list[Entry]:
        """All entries that are there, newest first, of whatever run. Raises TargetUnreachable."""
        with self._lock, self._kubernetes.asking(f"read ConfigMap {self._namespace}/{NAME}"):
            self._read()
        return self.entries()

    def entries(self) -> list[Entry]:
        """The same as far as is known without asking."""
        with self._lock:
            return list(reversed(self._entries.values()))

    def names(self, kind: str) -> set[str]:
        """The names of what was made of that kind."""
        return {entry.name for entry in self.entries() if entry.act == MADE and entry.kind == kind}

    def made(self, kind: str, name: str, **more: Any) -> Entry:
        """Write down that something is about to be made."""
        return self._add(MADE, kind, name, more)

    def broken(self, kind: str, name: str, **more: Any) -> Entry:
        """Write down that something is about to be broken; `more` are the values before."""
        return self._add(BROKEN, kind, name, more)

    def amend(self, entry: Entry, **more: Any) -> Entry:
        """Add to what stands there what became known when it was made."""
        return self._put(replace(entry, more={**entry.more, **more}))

    def drop(self, *entries: Entry) -> None:
        """Strike out what was undone, or not done at all."""
        with self._lock:
            self._write({entry.key: None for entry in entries if entry.key in self._entries})
            for entry in entries:
                self._entries.pop(entry.key, None)

    def close(self) -> None:
        """Remove the ConfigMap when nothing stands in it. Raises TargetUnreachable."""
        with self._lock, self._kubernetes.asking(f"delete ConfigMap {self._namespace}/{NAME}"):
            self._read()
            if self._entries or self.unreadable or not self._version:
                return
            same = client.V1Preconditions(resource_version=self._version)
            try:
                self._kubernetes.core.delete_namespaced_config_map(
                    NAME, self._namespace, body=client.V1DeleteOptions(preconditions=same)
                )
            except client.ApiException as answer:
                if answer.status not in (404, 409):
                    raise
            self._version = ""

    def _add(self, act: str, kind: str, name: str, more: Mapping[str, Any]) -> Entry:
        with self._lock:
            self._number += 1
            return self._put(Entry(f"{self._run_id}.{self._number:04}", act, kind, name, dict(more)))

    def _put(self, entry: Entry) -> Entry:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        told = {"act": entry.act, "kind": entry.kind, "name": entry.name, "at": now, **entry.more}
        with self._lock:
            self._write({entry.key: json.dumps(told)})
            self._entries[entry.key] = entry
        return entry

    def _write(self, changes: Mapping[str, str | None]) -> None:
        """Set or strike out lines, upon what was read or written last."""
        if not changes:
            return
        with self._kubernetes.asking(f"write ConfigMap {self._namespace}/{NAME}"):
            for _ in range(_TRIES):
                self._lease.require_held()
                try:
                    self._version = self._send(changes).metadata.resource_version
                    return
                except client.ApiException as answer:
                    if answer.status not in (404, 409):
                        raise
                # Somebody else has written it, or an answer was lost: whose the ledger is the Lease says.
                self._lease.require_mine()
                self._read()
        raise TargetUnreachable(f"write ConfigMap {self._namespace}/{NAME}: somebody else writes it, too")

    def _send(self, changes: Mapping[str, str | None]) -> client.V1ConfigMap:
        core = self._kubernetes.core
        if self._version:
            patch = {"metadata": {"resourceVersion": self._version}, "data": dict(changes)}
            return core.patch_namespaced_config_map(NAME, self._namespace, patch)
        labels = {"app.kubernetes.io/managed-by": "harbor-verify"}
        lines = {key: line for key, line in changes.items() if line is not None}
        made = client.V1ConfigMap(metadata=client.V1ObjectMeta(name=NAME, labels=labels), data=lines)
        return core.create_namespaced_config_map(self._namespace, made)

    def _read(self) -> None:
        try:
            present = self._kubernetes.core.read_namespaced_config_map(NAME, self._namespace)
        except client.ApiException as answer:
            if answer.status != 404:
                raise
            self._version, self._entries, self.unreadable = "", {}, []
            return
        self._version = present.metadata.resource_version
        self._entries, self.unreadable = _parsed((present.data or {}).items())


def _parsed(lines: Iterable[tuple[str, str]]) -> tuple[dict[str, Entry], list[str]]:
    """(entries by key in the order of writing, keys that cannot be read)."""
    entries, unreadable = {}, []
    for key, line in sorted(lines):
        try:
            told = json.loads(line)
            act, kind, name = told["act"], told["kind"], told["name"]
            if act not in (MADE, BROKEN) or not isinstance(kind, str) or not isinstance(name, str):
                raise ValueError(line)
        except (ValueError, KeyError, TypeError):
            unreadable.append(key)
            continue
        more = {word: value for word, value in told.items() if word not in _OWN}
        entries[key] = Entry(key, act, kind, name, more)
    return entries, unreadable
