"""What the registry reports: pushes and pulls, of which the ui keeps records.

It is answered with 200 whatever becomes of it, and the records appear a moment later.
"""

import json
import re
import threading
from typing import Any

from ... import log
from ...web.response import Response, empty
from ..database import Database, DatabaseError, Row, describe
from .harbor import Call
from .records import access_log, projects, repositories
from .registry_client import USER_AGENT

_MANIFEST = re.compile(r"application/vnd\.docker\.distribution\.manifest\.v\d\+(json|prettyjws)")


def receive(call: Call) -> Response:
    try:
        events = json.loads(call.request.body).get("events") or []
    except (ValueError, AttributeError) as failure:
        log.error(f"failed to decode notification: {failure}")
        return empty()
    for event in filter(_counts, events):
        name = event["target"]["repository"]
        try:
            project = projects.by_name(call.database, name.partition("/")[0])
        except DatabaseError as failure:
            log.error(f"failed to get project by name {name.partition('/')[0]}: {describe(failure)}")
            return empty()
        if project is None:
            log.warning(f"project not found: {name.partition('/')[0]}")
            continue
        threading.Thread(target=_record, args=(call.database, event, project), daemon=True).start()
    return empty()


def _counts(event: dict[str, Any]) -> bool:
    """Whether it is about a Docker manifest, by a client that is known to handle such ones."""
    action = event.get("action")
    if action not in ("pull", "push") or not _MANIFEST.match(event.get("target", {}).get("mediaType", "")):
        return False
    client = event.get("request", {}).get("useragent", "")
    return client.startswith(("docker", "vic/")) or (
        action == "push" and client.strip().lower() == USER_AGENT
    )


def _record(database: Database, event: dict[str, Any], project: Row) -> None:
    name, tag, action = event["target"]["repository"], event["target"].get("tag", ""), event["action"]
    user = event.get("actor", {}).get("name") or "anonymous"
    try:
        access_log.add(database, user, project["project_id"], name, tag, action)
        if action == "pull":
            repositories.count_pull(database, name)
        elif repositories.by_name(database, name) is None:
            repositories.add(database, name, project["project_id"])
    except DatabaseError as failure:
        log.error(f"failed to record the {action} of {name}: {describe(failure)}")
