"""Programs of Debian's backports: unpacked beside the machine's own, into the cache, and never installed.

For what the lab's Debian has in its backports only. What they need of libraries the packages of
`lab.programs.packages` bring.
"""

import shutil
from pathlib import Path

from lab import settings
from lab.command import run
from lab.errors import LabError
from lab.programs import packages

_SUITE = "bookworm-backports"


def unpacked(name: str, wanted: tuple[str, ...]) -> Path:
    """The folder that these packages are unpacked into, as they would be into `/`; made once.

    Raises CommandFailed with apt's own words, LabError where apt knows no mirror of Debian's.
    """
    folder = settings.CACHE / name
    if folder.exists():
        return folder
    partial, apt = folder.with_name(f"{name}.partial"), folder.with_name(f"{name}.apt")
    for each in (partial, apt):
        shutil.rmtree(each, ignore_errors=True)
    (apt / "lists" / "partial").mkdir(parents=True)
    listing = run(
        ["apt-get", "indextargets", "--format=$(REPO_URI) $(CODENAME) $(ORIGIN)", "Created-By: Packages"]
    )
    (apt / "sources.list").write_text(source(listing))
    options = (
        f"--option=Dir::Etc::sourcelist={apt / 'sources.list'}",
        "--option=Dir::Etc::sourceparts=-",
        f"--option=Dir::State::lists={apt / 'lists'}",
        f"--option=Dir::Cache={apt}",
        "--option=APT::Sandbox::User=root",
    )
    run(["apt-get", *options, "update", "--quiet=2"], timeout_s=600)
    run(["apt-get", *options, "download", "--quiet=2", *wanted], cwd=apt, timeout_s=600)
    packages.extract(apt, partial)
    shutil.rmtree(apt)
    partial.rename(folder)
    return folder


def source(listing: str) -> str:
    """The line for apt about the backports, of the mirror that the machine has its Debian 12 from.

    `listing`: where apt gets its lists, a line each: address, name of the release, whose. Raises LabError.
    """
    for line in listing.splitlines():
        address, release, *whose = line.split()
        if (release, whose) == ("bookworm", ["Debian"]):
            keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
            return f"deb [signed-by={keys}] {address} {_SUITE} main\n"
    raise LabError("apt is told of no mirror of Debian 12, where its backports would be")
