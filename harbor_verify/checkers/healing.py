"""Whether all that was disrupted was healed again, and when: a final state is read after that, or tells nothing."""

from collections.abc import Sequence

from harbor_verify.history.model import Disrupted


def unhealed(disruptions: Sequence[Disrupted]) -> list[str]:
    """Why there is no time after the last heal; a line each, [] when there is."""
    if not disruptions:
        return ["nothing was disrupted"]
    return [f"{each.name} was not healed" for each in disruptions if not each.healed]


def last_heal_ns(disruptions: Sequence[Disrupted]) -> int:
    """When the last of them was healed, on the history's clock, in ns. Ask `unhealed` first."""
    return max(each.healed.at_ns for each in disruptions if each.healed)
