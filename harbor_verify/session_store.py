"""Harbor's session store, for checks that ask what it says of itself."""

from collections.abc import Callable
from typing import Any, NoReturn

from harbor_verify.errors import CannotTell, StoreRefused, WrongConfiguration
from harbor_verify.model.stores import SessionStore
from harbor_verify.target import Target


def named_session_store(target: Target, not_applicable: Callable[[str], NoReturn]) -> SessionStore:
    """The session store of the settings. Raises CannotTell where they cannot be right."""
    try:
        store = target.session_store()
    except WrongConfiguration as wrong:
        raise CannotTell(f"where sessions are kept: {wrong}") from wrong
    return store or not_applicable(
        "Harbor's settings name no session store: there is none that could stand on more"
    )


def told_by(target: Target, store: SessionStore, *sections: str) -> dict[str, Any]:
    """What INFO says in these sections, together. Raises CannotTell where it is refused, or nobody answers."""
    try:
        with target.redis(store) as redis:
            return {name: value for section in sections for name, value in redis.facts(section).items()}
    except StoreRefused as refused:
        raise CannotTell(str(refused)) from refused
