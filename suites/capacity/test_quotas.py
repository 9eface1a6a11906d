"""Projects whose quota is nearly used up."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature
from harbor_verify.settings import Settings
from harbor_verify.target import Target


@check(
    "capacity.project-quotas-have-room",
    hint="A push that would exceed the quota is refused (`will exceed the configured upper limit`), and whoever builds "
    "there stands still. Delete what nobody needs (a retention rule does it each night), or raise the quota "
    "(Administration, Project Quotas). How full is too full is a setting: --full-percent.",
    source="Harbor: project quotas; GET quotas",
    requires=(Feature.QUOTAS,),
    severity=SHOULD,
    builds_on=("registry.quota-follows-pushes", "database.grants-sufficient"),
)
def test_no_project_is_about_to_be_refused_for_its_quota(
    harbor: Target, findings: Findings, settings: Settings, not_applicable, measured
):
    """Every project that has a storage quota has some of it left.

    Source: what Harbor counts. How full is too full is a setting.
    """
    if not harbor.front_door.keeps_quotas(harbor.credentials):
        not_applicable("storage quotas are switched off (quota_per_project_enable)")
    quotas = harbor.front_door.quotas(harbor.credentials)
    limited = [quota for quota in quotas if quota.limit_bytes > 0]
    if not limited:
        not_applicable(f"none of {len(quotas)} projects has a limit")
    measured["limited_projects_count"] = len(limited)
    for quota in limited:
        percent = 100 * quota.used_bytes / quota.limit_bytes
        expected = f"less than {settings.full_percent} % of its quota is used"
        with findings.about(f"project {quota.project}", expected) as project:
            if percent >= settings.full_percent:
                project.wrong(f"{quota.used_bytes} of {quota.limit_bytes} bytes, {percent:.0f} %")
