"""Who is there after the heal is to do more than to show what it has: it takes logins and pushes, too."""

from collections.abc import Mapping

from harbor_verify.clients.harbor import Credentials
from harbor_verify.model.roles import Role
from harbor_verify.ways import FRONT_DOOR, Ways
from harbor_verify.workloads import Work
from harbor_verify.workloads.images import Push, Pushed, Upload
from harbor_verify.workloads.pace import PushAllowance
from harbor_verify.workloads.sessions import Login


def writes_everywhere(
    ways: Ways,
    takes: Role,
    credentials: Credentials,
    known: Pushed,
    allowance: PushAllowance,
    *,
    names: Mapping[str, str],
) -> list[Work]:
    """A login at the front door and at each web replica that is there now, the successors of those that were broken
    among them; a push at the front door and at each replica of the role that `takes` them; and, where that is another,
    an upload at each registry behind it, which is taken back.

    Pushes are `known` with another layer, within `allowance`; `names` as for `Ways`.
    """
    webs = [ways.front_harbor(), *ways.webs(names=names)]
    takers = {FRONT_DOOR: ways.front_registry(), **ways.registries(takes, names=names)}
    keepers = {} if takes is Role.REGISTRY else ways.registries(Role.REGISTRY, names=names)
    return [
        *(Login(web, credentials, client=f"login-again@{web.name}") for web in webs),
        *(
            Push(name, connect, known, client=f"push-again@{name}", allowance=allowance)
            for name, connect in takers.items()
        ),
        *(Upload(name, connect, known.repository) for name, connect in keepers.items()),
    ]
