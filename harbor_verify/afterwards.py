"""After the heal: whoever is there takes logins and pushes again, and has all that was acknowledged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harbor_verify.at_work import ClientsAtWork, Tried
from harbor_verify.checkers.accounts import ACCOUNT_MISSING
from harbor_verify.errors import TargetUnreachable
from harbor_verify.history import Recorder
from harbor_verify.model.roles import Role
from harbor_verify.settings import Settings
from harbor_verify.target import Target
from harbor_verify.verdict import Failure
from harbor_verify.ways import FRONT_DOOR, Ways
from harbor_verify.workloads import Work
from harbor_verify.workloads.accounts import read_accounts
from harbor_verify.workloads.images import Push, Upload, pull_back_everywhere
from harbor_verify.workloads.listings import list_everywhere
from harbor_verify.workloads.pace import PushAllowance
from harbor_verify.workloads.sessions import Login, probe_everywhere
from harbor_verify.workloads.until_served import try_until_served
from harbor_verify.workloads.values import read_everywhere


@dataclass(frozen=True)
class Afterwards:
    """What is asked of each replica that is there by then, the successors of those that were broken among them.

    `names` below are those that replicas have in the history, by UID, as for `Ways`.
    """

    target: Target
    recorder: Recorder
    settings: Settings
    tell: Callable[[str], None]
    ways: Ways
    at_work: ClientsAtWork
    project: str

    def taken_away(self) -> set[str]:
        """The clients of a replica that an autoscaler, or whoever else, has taken away since they began: each saw its
        own pod end, which proves nothing. None where the API server does not say who is there, or nobody is.
        """
        roles = {Role.WEB, Role.REGISTRY, self.target.profile.registry_api}
        try:
            present = {replica.uid for role in roles for replica in self.target.replicas(role)}
        except (TargetUnreachable, Failure):
            return set()
        return {work.client for work in self.at_work.clients if work.uid and work.uid not in present}

    def write_everywhere(self, allowance: PushAllowance, names: Mapping[str, str]) -> tuple[str, ...]:
        """A login at the front door and at each web replica; a push at the front door and at each replica that takes
        them; and, where that is another, an upload at each registry behind it, which is taken back. Each until it is
        done, or the time of a recovery is over. Returns the clients that did it.
        """
        takes, known = self.target.profile.registry_api, self.at_work.known
        webs = [self.ways.front_harbor(), *self.ways.webs(names=names)]
        takers = {FRONT_DOOR: self.ways.front_registry(), **self.ways.registries(takes, names=names)}
        keepers = {} if takes is Role.REGISTRY else self.ways.registries(Role.REGISTRY, names=names)
        works: list[Work] = [
            *(Login(web, self.target.user, client=f"login-again@{web.name}") for web in webs),
            *(
                Push(name, connect, known, client=f"push-again@{name}", allowance=allowance)
                for name, connect in takers.items()
            ),
            *(Upload(name, connect, known.repository) for name, connect in keepers.items()),
        ]
        self.at_work.works += works
        try_until_served(self.recorder, works, timeout_s=self.settings.recovery_budget_s)
        return tuple(work.client for work in works)

    def try_everything(self, names: Mapping[str, str]) -> Tried:
        """Every session, every pushed image, its listing, each account and the last write, everywhere."""
        webs = [self.ways.front_harbor(), *self.ways.webs(names=names)]
        keepers = self.ways.registries(Role.REGISTRY, names=names)
        takes = self.target.profile.registry_api
        passers = {} if takes is Role.REGISTRY else self.ways.registries(takes, names=names)
        sessions, pushed, written = self.at_work.sessions, self.at_work.pushed, self.at_work.written
        self.tell(
            f"trying {len(sessions)} sessions at {len(webs)} places, and "
            f"{len(pushed)} images at {len(keepers | passers)}"
        )
        machine, span_s = self.target.belongings.machine(self.project), self.settings.confirmation_s
        probe_everywhere(self.recorder, webs, sessions, span_s=span_s)
        pull_back_everywhere(self.recorder, keepers, passers, pushed, span_s=span_s)
        list_everywhere(self.recorder, webs, pushed, machine, span_s=span_s)
        admin = self.target.credentials
        if robots := self.target.belongings.machine_robots():
            front: Any = webs[0]
            asked = read_accounts(self.recorder, front.name, front, robots, admin, span_s=span_s)
            for robot, last in zip(robots, asked, strict=False):
                if last.error == ACCOUNT_MISSING:
                    self.target.belongings.forget_machine(robot)
        if written:
            readers = webs if written.reads_as != admin else webs[:1]
            read_everywhere(self.recorder, readers, written, written.reads_as, span_s=span_s)
        return Tried([web.name for web in webs], list(keepers), list(passers), accounts=bool(robots))
