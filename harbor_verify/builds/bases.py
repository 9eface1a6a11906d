"""What builds begin with."""

from dataclasses import dataclass, fields

from harbor_verify.errors import NeedMissing
from harbor_verify.settings import Settings, flag

_SETTINGS = {"builder": "builder_image", "distribution": "base_image", "small": "small_image"}


@dataclass(frozen=True)
class Bases:
    """References of images that the docker daemon has or can pull; None: nobody said which."""

    builder: str | None = None
    """Go, gcc and musl-gcc."""
    distribution: str | None = None
    """A whole distribution, with glibc."""
    small: str | None = None
    """musl and busybox."""
    are_disposable: bool = False
    """Whether they may be removed from the daemon, also where they were there before: who named them makes them again,
    and only what is not there has to come back over the wire."""

    def require(self, *names: str) -> dict[str, str]:
        """The references by name. Raises NeedMissing with the settings that would name those that are not known."""
        known = {field.name: getattr(self, field.name) for field in fields(self) if field.name in _SETTINGS}
        if missing := [flag(_SETTINGS[name]) for name in names if not known[name]]:
            raise NeedMissing(f"no image to build with: {', '.join(missing)}")
        return {name: known[name] for name in names}


def named_by(settings: Settings) -> Bases:
    """Those that settings name."""
    return Bases(**{name: getattr(settings, setting) for name, setting in _SETTINGS.items()})
