"""The check of keys that an upgrade makes anew, with the Secrets of Helm's."""

import base64
import gzip
import json

import pytest
import yaml

from harbor_verify.errors import NotApplicable
from harbor_verify.model.helm import release_in
from suites.expiry.test_upgrade import test_the_next_upgrade_keeps_the_keys_that_are_in_use as check
from tests.unit import deployments
from tests.unit.running import examine, never, not_applicable, offenders_of
from tests.unit.whole_harbors import harbor_of

OF_THE_CHART = {
    "core": {"secretName": "", "tokenKey": None},
    "internalTLS": {"enabled": False, "certSource": "auto"},
    "expose": {"tls": {"enabled": True, "certSource": "auto"}},
}
KEPT = {"core": {"secretName": "token-key"}, "expose": {"tls": {"certSource": "secret"}}}


def packed(values, *, name="harbor", home="https://goharbor.io"):
    about = {"name": "harbor", "version": "1.19.1", "home": home}
    document = {"name": name, "chart": {"metadata": about, "values": OF_THE_CHART}, "config": values}
    inner = base64.b64encode(gzip.compress(json.dumps(document).encode()))
    return {"release": base64.b64encode(inner).decode()}


def harbor(*releases):
    """With the Secrets that Helm keeps, labelled as it does (storage driver `secret`)."""
    secrets = []
    for number, data in enumerate(releases):
        release = release_in(data)
        labels = {"owner": "helm", "status": "deployed", "name": release.name if release else "harbor"}
        metadata = {"name": f"sh.helm.release.v1.{number}", "labels": labels}
        secrets.append({"kind": "Secret", "metadata": metadata, "data": data})
    return harbor_of(deployments.text_of("02-ha-documented") + "\n---\n" + yaml.safe_dump_all(secrets))


def test_values_that_name_every_key_are_well():
    with harbor(packed(KEPT)) as (target, _):
        examine(check, target, never)


@pytest.mark.parametrize(
    "changed, told",
    [
        ({"core": {"secretName": ""}}, "core.secretName"),
        ({"expose": {"tls": {"certSource": "auto"}}}, "expose.tls.certSource"),
        ({"internalTLS": {"enabled": True}}, "internalTLS.certSource"),
    ],
)
def test_what_the_next_upgrade_makes_anew_is_told(changed, told):
    with harbor(packed({**KEPT, **changed})) as (target, _):
        (offender,) = offenders_of(check, target, never)
    assert offender.object == "Helm release harbor/harbor"
    assert told in offender.observed


def test_another_chart_is_not_judged_by_this_ones_values():
    with harbor(packed({}, home="https://bitnami.com")) as (target, _):
        with pytest.raises(NotApplicable, match=r"harbor 1\.19\.1 makes anew is not known"):
            examine(check, target, not_applicable)


@pytest.mark.parametrize("releases", [(), (packed({}, name="other"),), ({"release": "junk"},)])
def test_without_a_release_of_helms_nothing_is_known(releases):
    with harbor(*releases) as (target, _):
        with pytest.raises(NotApplicable, match="NOT seen"):
            examine(check, target, not_applicable)


def test_values_are_merged_as_helm_does_it():
    release = release_in(packed({"core": {"tokenKey": "hush"}, "internalTLS": None}))
    assert release.values["core"] == {"secretName": "", "tokenKey": "hush"}
    assert "internalTLS" not in release.values
    assert "hush" not in repr(release)
