"""The registry's v2 API, at one registry replica or through the front door (OCI distribution specification)."""

import re
from collections.abc import Callable, Container
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.http import HttpClient, expect, is_untrusted, summary
from harbor_verify.clients.image import MANIFEST_TYPE, MANIFEST_TYPES, Image, digest_of
from harbor_verify.clients.proxies import way_to
from harbor_verify.errors import AnswerError, CannotTell, NoAnswer, UnexpectedAnswer, WrongContent

USER_AGENT = "docker/harbor-verify"
"""The first Harbors list only what a client pushed whose name begins with `docker`."""

PULL, PUSH = "pull", "push,pull"

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')

Authorise = Callable[[str], str | None]
"""From a scope (repository:p/r:pull; several with a space between) to a header Authorization; None: go as anonymous.

Raises AnswerError."""


def by_token(token: Callable[[str], str | None]) -> Authorise:
    """With a bearer token for each scope."""

    def authorise(scope: str) -> str | None:
        text = token(scope)
        return f"Bearer {text}" if text else None

    return authorise


def by_password(credentials: Credentials) -> Authorise:
    """With Basic authentication, whatever the scope."""
    return lambda scope: f"Basic {credentials.login}"


@dataclass(frozen=True)
class Challenge:
    """What a registry says to someone it does not know. `status` is 200 when it asks nobody who they are."""

    status: int
    scheme: str
    realm: str
    service: str
    observed: str
    """The answer in one line, for messages."""


@dataclass(frozen=True)
class Upload:
    """An upload that has begun: `place` is where it goes on, on any replica that shares its state."""

    repository: str
    place: str
    sent_bytes: int = 0


class Registry:
    """One registry, or the front door to several. Methods raise NoAnswer and UnexpectedAnswer."""

    def __init__(self, http: HttpClient, authorise: Authorise = lambda scope: None) -> None:
        self.http, self._authorise = http, authorise

    @property
    def name(self) -> str:
        return self.http.name

    def close(self) -> None:
        self.http.close()

    def challenge(self) -> Challenge:
        """GET /v2/ without credentials."""
        answer = self.http.get("/v2/", headers={"User-Agent": USER_AGENT})
        header = answer.headers.get("WWW-Authenticate", "")
        scheme, _, rest = header.partition(" ")
        parameters = dict(_PARAMETER.findall(rest))
        return Challenge(
            status=answer.status_code,
            scheme=scheme,
            realm=parameters.get("realm", ""),
            service=parameters.get("service", ""),
            observed=summary(answer) + (f" with {header}" if header else " without a challenge"),
        )

    def accepts(self, token: str) -> requests.Response:
        """GET /v2/ with a bearer token: 200 when it is trusted, 401 when not."""
        return self.http.get("/v2/", headers={"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT})

    def push(self, image: Image, repository: str, tag: str, *, there: Container[bytes] = ()) -> str:
        """Push layer, configuration and manifest, as docker does; returns the digest that was acknowledged.

        What is `there` in this repository already is not pushed again.
        """
        for blob in (image.layer, image.configuration):
            if blob not in there:
                self.push_blob(repository, blob)
        return self.push_manifest(repository, tag, image.manifest)

    def pull(self, repository: str, reference: str, *, has: bytes = b"") -> Image:
        """Pull manifest, configuration and layer by tag or digest. Raises WrongContent as well.

        A configuration that one `has` is not pulled again.
        """
        manifest, _ = self.manifest(repository, reference)
        image = Image.parse(manifest)
        if not (image.configuration_digest and image.layer_digest):
            raise WrongContent(f"{repository}:{reference} is no image of one layer but {manifest[:200]!r}")
        configuration = has
        if digest_of(has) != image.configuration_digest:
            configuration = self.blob(repository, image.configuration_digest)
        return Image(manifest, configuration, self.blob(repository, image.layer_digest))

    def push_blob(self, repository: str, content: bytes) -> str:
        """Upload a blob in one piece; returns its digest."""
        upload = self.append(self.begin_upload(repository), content)
        digest = digest_of(content)
        self.finish(upload, digest)
        return digest

    def begin_upload(self, repository: str) -> Upload:
        """POST: a new upload session."""
        answer = self._ask("POST", f"/v2/{repository}/blobs/uploads/", repository, PUSH, 202)
        return Upload(repository, place_of(answer))

    def append(self, upload: Upload, content: bytes) -> Upload:
        """PATCH: more bytes; returns the upload as it goes on from here."""
        first, behind = upload.sent_bytes, upload.sent_bytes + len(content)
        headers = {"Content-Type": "application/octet-stream"}
        if first:
            headers["Content-Range"] = f"{first}-{behind - 1}"
        answer = self._ask(
            "PATCH", upload.place, upload.repository, PUSH, 202, 204, data=content, headers=headers
        )
        return Upload(upload.repository, place_of(answer), behind)

    def finish(self, upload: Upload, digest: str) -> None:
        """PUT: the blob is whole, and this is its digest. UnexpectedAnswer 400 where it is not."""
        mark = "&" if "?" in upload.place else "?"
        self._ask("PUT", f"{upload.place}{mark}digest={digest}", upload.repository, PUSH, 201)

    def cancel(self, upload: Upload) -> None:
        """DELETE: forget an upload; that it is not known is well."""
        self._ask("DELETE", upload.place, upload.repository, PUSH, 204, 404)

    def blob(self, repository: str, digest: str) -> bytes:
        """A blob's bytes. Raises WrongContent when they are not those of its digest."""
        return _require_digest(expect(self.ask_blob("GET", repository, digest), 200), digest)

    def ask_blob(
        self, method: str, repository: str, digest: str, *, stream: bool = False, **headers: str
    ) -> requests.Response:
        """GET or HEAD of a blob, whatever is answered; where that is the way to an object store, what the store says.

        `headers` by their names, with _ for -. Raises CannotTell where the store's certificate is not trusted here.
        Source: distribution, storage.redirect.
        """
        sent = {
            "Accept-Encoding": "identity",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        path = f"/v2/{repository}/blobs/{digest}"
        answer = self.ask(method, path, repository, PULL, headers=sent, stream=stream)
        if not answer.is_redirect:
            return answer
        answer.close()
        # The URL is signed for whoever has it: no login goes there, and no name of the front door's.
        elsewhere = urljoin(answer.url, answer.headers["Location"])
        way = way_to(elsewhere, timeout_s=self.http.timeouts_s[0])
        try:
            stored = self.http.request(
                method, elsewhere, headers={**sent, "Host": None}, stream=stream, proxies=way
            )
        except NoAnswer as silence:
            if is_untrusted(silence):
                # Docker clients have their own authorities: that we lack one says nothing of them.
                raise CannotTell(
                    f"{silence}: no authority that is known here has signed it; --ca-file takes several"
                ) from silence
            raise
        stored.history = [answer]
        return stored

    def blob_host(self, repository: str, digest: str) -> str | None:
        """To which host a pull of a blob is sent, e.g. http://192.0.2.10:7480; None where it comes from here."""
        path = f"/v2/{repository}/blobs/{digest}"
        with closing(self.ask("GET", path, repository, PULL, stream=True)) as answer:
            if not answer.is_redirect:
                expect(answer, 200)
                return None
            place = urlsplit(urljoin(answer.url, answer.headers["Location"]))
        return f"{place.scheme}://{place.netloc}"

    def push_manifest(
        self, repository: str, reference: str, manifest: bytes, media_type: str = MANIFEST_TYPE
    ) -> str:
        """PUT a manifest; returns the digest that was acknowledged. Raises WrongContent when it is another's."""
        answer = self._ask(
            "PUT",
            f"/v2/{repository}/manifests/{reference}",
            repository,
            PUSH,
            201,
            data=manifest,
            headers={"Content-Type": media_type},
        )
        digest = answer.headers.get("Docker-Content-Digest", "")
        if digest != digest_of(manifest):
            raise WrongContent(
                f"{summary(answer)} acknowledges {digest or 'no digest'}, not {digest_of(manifest)}"
            )
        return digest

    def manifest(self, repository: str, reference: str) -> tuple[bytes, str]:
        """(bytes, digest) of a manifest by tag or digest. Raises WrongContent when they do not fit."""
        answer = self._ask(
            "GET",
            f"/v2/{repository}/manifests/{reference}",
            repository,
            PULL,
            200,
            headers={"Accept": ", ".join(MANIFEST_TYPES)},
        )
        digest = reference if ":" in reference else answer.headers.get("Docker-Content-Digest", "")
        return _require_digest(answer, digest), digest

    def ask(
        self, method: str, path: str, repository: str, actions: str, *, reads: str = "", **kwargs: Any
    ) -> requests.Response:
        """One request, with what it takes to do `actions` in `repository`, whatever is answered. Raises NoAnswer.

        `reads`: a further repository that it pulls from. The rest is for `HttpClient.request`.
        """
        scope = f"repository:{repository}:{actions}" + (f" repository:{reads}:{PULL}" if reads else "")
        return self.ask_for(scope, method, path, **kwargs)

    def ask_for(self, scope: str, method: str, path: str, **kwargs: Any) -> requests.Response:
        """One request, with what this scope takes, whatever is answered. Raises NoAnswer."""
        headers = {"User-Agent": USER_AGENT, **kwargs.pop("headers", {})}
        if authorisation := self._authorise(scope):
            headers["Authorization"] = authorisation
        return self.http.request(method, path, headers=headers, **kwargs)

    def _ask(
        self, method: str, path: str, repository: str, actions: str, *statuses: int, **kwargs: Any
    ) -> requests.Response:
        return expect(self.ask(method, path, repository, actions, **kwargs), *statuses)


class BackendRegistry(Registry):
    """A registry replica behind Harbor's back: it remembers what it took, to hand it over."""

    def __init__(self, http: HttpClient, authorise: Authorise) -> None:
        super().__init__(http, authorise)
        self._blobs: set[tuple[str, str]] = set()
        self._manifests: set[tuple[str, str, str]] = set()

    def finish(self, upload: Upload, digest: str) -> None:
        super().finish(upload, digest)
        self._blobs.add((upload.repository, digest))

    def push_manifest(
        self, repository: str, reference: str, manifest: bytes, media_type: str = MANIFEST_TYPE
    ) -> str:
        digest = super().push_manifest(repository, reference, manifest, media_type)
        self._manifests.add((repository, reference, digest))
        return digest

    def hand_over(self, source: Registry, front: Registry) -> None:
        """Push all of it to `front`, read from `source`: this replica may be gone.

        What cannot be read or pushed stays where it is, a KiB each: that it is lost is for checks to say.
        """
        for repository, digest in self._blobs:
            with suppress(AnswerError):
                front.push_blob(repository, source.blob(repository, digest))
        for repository, reference, digest in self._manifests:
            with suppress(AnswerError):
                front.push_manifest(repository, reference, source.manifest(repository, digest)[0])
        self._blobs.clear()
        self._manifests.clear()


def _require_digest(answer: requests.Response, digest: str) -> bytes:
    if digest_of(answer.content) != digest:
        raise WrongContent(
            f"{answer.request.method} {answer.request.path_url} → {len(answer.content)} bytes of digest "
            f"{digest_of(answer.content)}, not {digest or '(none was told)'}"
        )
    return answer.content


def place_of(answer: requests.Response) -> str:
    """Path and query of a Location: the host in it is the registry's own idea of where it is."""
    location = urlsplit(answer.headers.get("Location", ""))
    if not location.path:
        raise UnexpectedAnswer(f"{summary(answer)} without a Location", status=answer.status_code)
    return location.path + (f"?{location.query}" if location.query else "")
