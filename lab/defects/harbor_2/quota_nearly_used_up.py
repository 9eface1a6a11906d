"""A project may hold 1 MiB, and holds nearly as much."""

from lab.defects import Defect, Lab

_LIMIT, _NONE = 2**20, -1


def _set(lab: Lab, limit: int, used: int) -> None:
    of_library = "WHERE reference = 'project' AND reference_id = '1'"
    lab.sql(
        f"""UPDATE quota SET hard = jsonb_build_object('storage', {limit}::bigint) {of_library};
        UPDATE quota_usage SET used = jsonb_build_object('storage', {used}::bigint) {of_library}"""
    )


DEFECT = Defect(
    report="Harbor: project quotas; a push that exceeds one is refused",
    shows="nothing, until somebody pushes more than the little that is left: that team's builds are refused",
    turns_red=frozenset({"capacity.project-quotas-have-room"}),
    hint_says=("quota",),
    plant_outside=lambda lab: _set(lab, _LIMIT, _LIMIT - 1000),
    heal_outside=lambda lab: _set(lab, _NONE, 0),
)
