"""Secrets taken out of texts and objects before they are written: those that are known, and what looks like one.

Pure: no I/O. What is known comes from harbor_verify/known_secrets.py; the patterns are for the rest:
private keys (PEM), tokens (JWT), Authorization and Cookie headers, userinfo in URLs, values under a name of a secret
(`DB_PASSWORD=…`, `"token": "…"`, a line `secret: …`, a variable of a container).
A known value of fewer than 6 characters is replaced only where its name stands beside it: elsewhere it would destroy
the text.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote

REDACTED = "[redacted]"
SHORTEST = 6
_SHORTEST_WITHIN_BASE64 = 8

_SECRET_NAME = re.compile(
    r"passw(?:or)?d|passphrase|pwd|secret|token|credential|signature|auth_?header|(?<![a-z])key(?![a-z])"
    r"|(?:api|access|private|encryption|p)key(?![a-z])|session_?id$|^sid$|^sig$",
    re.IGNORECASE,
)
_NO_SECRET_NAME = re.compile(
    r"(?i:^(?:old)?pwd$|^key$|public|(?:^|[_.-])(?:path|file|dir|url|uri|names?|ref|prefix|expiration|expires(?:_in)?"
    r"|expiry|timeout|ttl|seconds|issuer|realm|service|type|length|size|count|endpoint|audience|algorithm)$)"
    r"|(?<=[a-z])(?:Path|File|Dir|Url|URL|Uri|Name|Ref|Prefix|Seconds|Issuer|Realm|Type)$",
)
_NO_SECRET = frozenset({"unused", "enabled", "disabled", "default", "optional", "required"})
"""What stands under the name of a secret where there is none; as known secrets these would destroy texts."""
_NO_VALUE = frozenset({"", "true", "false", "none", "null", "nil", "yes", "no"})

_PEM_LINE = 16
"""Shorter is only the last line of a key."""
_PEM_END = r"-----END [A-Z0-9 ]*PRIVATE KEY-----"
_BASE64_LINES = r"(?:(?:\s|\\[nr])*(?:\d{4}-[\d-]+T[\d:.]+Z )?[A-Za-z0-9+/]{16,}={0,2})"
_PEM = re.compile(
    rf"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:(?:(?!-----BEGIN)[\s\S])*?{_PEM_END}|{_BASE64_LINES}+)"
)
_PEM_TAIL = re.compile(_PEM_END)
_LAST_WORD_BASE64 = re.compile(r"(?:(?<=\s)|^)[A-Za-z0-9+/]{4,}={0,2}(?=\s*$)")
_JWT = re.compile(r"eyJ[\w-]{6,1000}\.[\w-]{6,}(?:\.[\w-]*)?")
# Not docker's "may require authorization: server message: insufficient_scope": it is what one wants to read.
_AUTHORIZATION = re.compile(
    r"""(?P<kept>authorization\\*["']?\s*[:=](?!\s*server message\b)"""
    r"""\s*(?:\[(?!redacted\]))?\\*["']?(?:(?:basic|bearer|negotiate|token)(?:\s+|%20|\+))?+)"""
    r"""(?:digest\s[^\r\n]*|(?:\[redacted\]|[^\s"'\\\],}])+)""",
    re.IGNORECASE,
)
_COOKIES = re.compile(
    r"""(?:set-)?cookie\\*["']?\s*[:=]\s*\[?\\*["']?(?=[\w.-]+=)(?:\[redacted\]|[^\r\n"'\\\]])+""",
    re.IGNORECASE,
)
_COOKIE = re.compile(
    r"(?P<kept>(?:^|[\s;:,=\[\"'])(?!(?:path|domain|expires|max-age|samesite)=)[\w.-]+=)(?:\[redacted\]|[^;\s,])+",
    re.I,
)
# Not the @ of an image's digest: docker-pullable://busybox@sha256:…
_USERINFO = re.compile(r"""(?P<kept>\b[a-z][a-z0-9+.-]{0,20}://)[^\s/"'<>\\]+@(?!sha256:)""", re.IGNORECASE)
_DATABASE_ADDRESS = re.compile(r"""(?P<kept>(?<![\w.-])[\w.-]++:)[^\s"'<>]{1,200}(?=@(?:tcp|unix)\()""")
_REDIS_ADDRESS = re.compile(
    r"""(?P<kept>REDIS_URL\w*\\*["']?\s*[:=]\s*\\*["']?[^\s,"'\\]{1,300},\d*,)(?P<password>[^\s,"'\\]+)"""
)
_COMMA_SEPARATED = re.compile(r"(?P<kept>[^\s,]{1,300}:\d+,\d*,)(?P<password>[^,]+)(?=,|$)")

_QUOTED = r"""(?P<quote>\\*["'])(?:(?!(?P=quote))(?:\\.|[^\\\r\n]))*(?P=quote)"""
# A part of it may have been replaced already.
_BARE = r"""\\*["']?(?:\[redacted\]|[^\s,;&"'(){}\[\]<>\\])+"""
_EQUALS = re.compile(
    rf"""(?P<kept>(?<![\w.-])(?P<name>[\w.-]++)\\*["']?[ \t]*=(?!=)[ \t]*)(?P<value>{_QUOTED}|{_BARE})"""
)
_QUOTED_NAME = re.compile(
    rf"""(?P<kept>["'](?P<name>[\w.-]++)\\*["'][ \t]*:[ \t]*)(?P<value>{_QUOTED}|{_BARE})"""
)
_PRINTED_STRUCT = re.compile(rf"(?P<kept>(?<=[\[{{ ,(])(?P<name>[A-Za-z]\w*+):)(?P<value>{_BARE})")
_LINE = re.compile(
    r"""(?P<kept>^[ \t]*(?:- )?\\*["']?(?P<name>[\w.-]++)\\*["']?:[ \t]+)"""
    r"""(?P<value>"[^"\n]*"|'[^'\n]*'|\[redacted\]|[^\s"'|>{\[&*][^\s]*)(?=[ \t]*(?:#[^\n]*)?$)""",
    re.MULTILINE,
)
_VARIABLE = re.compile(
    r"""(?P<kept>"name"\s*:\s*"(?P<name>[\w.-]+)"\s*,\s*"value"\s*:\s*)(?P<value>"(?:\\.|[^"\\])*")"""
)
_NAMED = (_VARIABLE, _QUOTED_NAME, _EQUALS, _LINE, _PRINTED_STRUCT)


class Redaction:
    """Knows secrets, and replaces them, and what looks like one, by `[redacted]`. Doing it twice changes nothing."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.learn(*secrets)

    def learn(self, *secrets: str) -> None:
        """Values to replace wherever they stand, also as URLs, JSON, HTML and base64 have them."""
        known = {form for secret in secrets for form in _forms(secret)} | self._known
        if known != self._known:
            # The longest first: one may begin another.
            longest_first = sorted(known, key=lambda each: (-len(each), each))
            self._known, self._pattern = known, re.compile("|".join(map(re.escape, longest_first)))

    def text(self, text: str) -> str:
        """The text without secrets."""
        if self._pattern:
            # Before the patterns: one that ends within a secret would leave the rest of it unknown.
            text = self._pattern.sub(REDACTED, text)
        text = _without_private_keys(text)
        text = _JWT.sub(REDACTED, text)
        for pattern in (_AUTHORIZATION, _USERINFO, _DATABASE_ADDRESS, _REDIS_ADDRESS):
            text = pattern.sub(_replaced_userinfo if pattern is _USERINFO else _replaced, text)
        text = _COOKIES.sub(lambda match: _COOKIE.sub(_replaced, match[0]), text)
        for pattern in _NAMED:
            text = pattern.sub(_replaced_if_secret, text)
        return text

    def structure(self, thing: Any) -> Any:
        """A copy, without secrets, of what JSON or YAML can hold, Kubernetes' objects among it."""
        if isinstance(thing, str):
            return self._string(thing)
        if isinstance(thing, Mapping):
            name = thing.get("name")
            if isinstance(name, str) and isinstance(thing.get("value"), str):
                return {
                    key: self._named(name if key == "value" else key, each) for key, each in thing.items()
                }
            return {key: self._named(key, each) for key, each in thing.items()}
        if isinstance(thing, list | tuple):
            return list(self._arguments(thing))
        return thing

    def _named(self, name: Any, value: Any) -> Any:
        if isinstance(value, str):
            if is_secret_name(str(name)) and value.lower() not in _NO_VALUE:
                return REDACTED
            if "REDIS" in str(name).upper():
                value = _COMMA_SEPARATED.sub(_replaced, value)
        return self.structure(value)

    def _arguments(self, items: Iterable[Any]) -> Iterator[Any]:
        """Of a command line, too: `--password`, and then its value."""
        name = ""
        for item in items:
            yield REDACTED if name and isinstance(item, str) else self.structure(item)
            flag = isinstance(item, str) and item.startswith("--") and "=" not in item
            name = item if flag and is_secret_name(item) else ""

    def _string(self, text: str) -> str:
        """Annotations hold whole objects as JSON."""
        if text[:1] in ("{", "["):
            try:
                return json.dumps(self.structure(json.loads(text)), ensure_ascii=False)
            except ValueError:
                return self.text(text)
        return self.text(text)


def is_secret_name(name: str) -> bool:
    """Whether what stands under that name is a secret: DB_PASSWORD and apiKey, not TOKEN_URL nor secretName."""
    return bool(_SECRET_NAME.search(name)) and not _NO_SECRET_NAME.search(name)


def secrets_in(settings: Mapping[str, str]) -> set[str]:
    """The secret values among settings by name (an environment, the data of a ConfigMap, files among it)."""
    secrets = set()
    for name, value in settings.items():
        if is_secret_name(name) and value.lower() not in _NO_VALUE and "\n" not in value.strip():
            secrets.add(value)
        if "REDIS" in name.upper() and (parts := _COMMA_SEPARATED.fullmatch(value.rpartition(",")[0])):
            secrets.add(parts["password"])
        secrets |= {part for user in re.findall(r"://([^\s/]*)@", value) for part in _password_of(user)}
        secrets |= _secrets_in_file(value)
    return secrets - _NO_SECRET


def _secrets_in_file(text: str) -> set[str]:
    secrets = set()
    for key in _PEM.findall(text):
        # A log may show a part of it: each line is a secret.
        secrets |= {line for line in key.splitlines() if "-----" not in line and len(line) >= _PEM_LINE}
    if "\n" in text:
        for pattern in _NAMED:
            for match in pattern.finditer(text):
                if is_secret_name(match["name"]):
                    secrets.add(match["value"].strip("\"'\\"))
    return {value for value in secrets if value.lower() not in _NO_VALUE}


def _password_of(userinfo: str) -> set[str]:
    password = userinfo.partition(":")[2]
    return {password, unquote(password)} - {""}


def _forms(secret: str) -> set[str]:
    if len(secret) < SHORTEST or secret in _NO_SECRET:
        return set()
    encoded = base64.b64encode(secret.encode()).decode()
    written = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]
    within = set(_within_base64(secret.encode())) if len(secret) >= _SHORTEST_WITHIN_BASE64 else set()
    return {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret),
        encoded,
        *written,
        *within,
    }


def _within_base64(secret: bytes) -> Iterator[str]:
    """What base64 of something longer has of it (a login, a file), wherever in it the secret begins; whole characters
    of it alone: those at both ends depend on what is beside it.
    """
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret)
        first, behind = -(-before * 8 // 6), (before + len(secret)) * 8 // 6
        yield encoded[first:behind].decode()


def _without_private_keys(text: str) -> str:
    if "PRIVATE KEY-----" not in text:
        return text
    text = _PEM.sub(REDACTED, text)
    if not _PEM_TAIL.search(text):
        return text
    # The end of a key whose beginning was cut off, with the log that it is in: only its last line is short.
    lines = text.splitlines(keepends=True)
    for end in [number for number, line in enumerate(lines) if _PEM_TAIL.search(line)]:
        lines[end] = _PEM_TAIL.sub(REDACTED, lines[end])
        before = end - 1
        while before >= 0 and (word := _LAST_WORD_BASE64.search(lines[before])):
            if before < end - 1 and len(word[0]) < _PEM_LINE:
                break
            lines[before] = lines[before].replace(word[0], REDACTED)
            before -= 1
    return "".join(lines)


def _replaced(match: re.Match[str]) -> str:
    return f"{match['kept']}{REDACTED}"


def _replaced_userinfo(match: re.Match[str]) -> str:
    return f"{match['kept']}{REDACTED}@"


def _replaced_if_secret(match: re.Match[str]) -> str:
    value = match["value"]
    if not is_secret_name(match["name"]) or value.strip("\"'\\").lower() in _NO_VALUE:
        return match[0]
    quoted = re.match(r"""\\*["']""", value)
    mark = quoted[0] if quoted else ""
    return f"{match['kept']}{mark}{REDACTED}{mark if value.endswith(mark) and len(value) > len(mark) else ''}"
