"""How `requests` gets its connections: made within one time-out, while all that is sent and read has another.

urllib3 sends with the time-out for connecting: a registry that writes to its store meanwhile, and so reads nothing of
a large layer for some seconds, would be one that does not answer.
"""

from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Timeout


class TimedConnection(HTTPConnection):
    """Made within the time-out (in seconds) that its pool was made with; a request's is for the rest."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connect_timeout = self.timeout

    def connect(self) -> None:
        of_the_request, self.timeout = self.timeout, self._connect_timeout
        try:
            super().connect()
        finally:
            self.timeout = of_the_request
        self.sock.settimeout(of_the_request)


class _TimedTlsConnection(TimedConnection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = TimedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedTlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class TimedAdapter(HTTPAdapter):
    """For any host, by a proxy, too."""

    def __init__(self, connect_timeout_s: float) -> None:
        self._timeout = Timeout(connect=connect_timeout_s)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, timeout=self._timeout, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, timeout=self._timeout, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class ByAddress(TimedAdapter):
    """For HTTPS by an IP address: the certificate is to be that of `host`, who is also asked for."""

    def __init__(self, host: str, connect_timeout_s: float) -> None:
        self._host = host
        super().__init__(connect_timeout_s)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, server_hostname=self._host, assert_hostname=self._host, **kwargs)
