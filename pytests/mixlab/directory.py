# SPDX-License-Identifier: Apache-2.0
"""Asking a directory: is it healthy, who is in the topology. HTTP/1.1 of the standard library, no redirects."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


class BadUrl(ValueError):
    """Not the base URL of a directory."""


@dataclass(frozen=True)
class Topology:
    """What GET /api/presence/topology said. Entries are the JSON objects as served."""

    mixes: tuple[dict[str, Any], ...]
    providers: tuple[dict[str, Any], ...]
    coconodes: tuple[dict[str, Any], ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.mixes or self.providers or self.coconodes)

    def layers(self) -> dict[int, list[dict[str, Any]]]:
        """Mixes by layer, each layer in the order of host names."""
        found: dict[int, list[dict[str, Any]]] = {}
        for mix in sorted(self.mixes, key=lambda mix: str(mix["host"])):
            found.setdefault(int(mix["layer"]), []).append(mix)
        return dict(sorted(found.items()))

    def mix_at(self, host: str) -> dict[str, Any] | None:
        """The mix that announces `host` ("127.0.0.1:9980")."""
        return next((mix for mix in self.mixes if mix["host"] == host), None)

    def registered_clients(self) -> set[str]:
        return {client["pubKey"] for provider in self.providers for client in provider["registeredClients"]}


class DirectoryApi:
    """One directory by its base URL. A call that cannot be answered raises OSError or ValueError."""

    def __init__(self, url: str, timeout_s: float = 5.0) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port or 80
        except ValueError:
            port = 0
        if parts.scheme != "http" or not parts.hostname or not port:
            raise BadUrl(f"not a directory's address: {url!r} (expected http://HOST:PORT)")
        self.url = url.rstrip("/")
        self._host, self._port, self._timeout_s = parts.hostname, port, timeout_s

    def request(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """(status, decoded JSON or text)."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        try:
            payload = None if body is None else json.dumps(body).encode()
            headers = {} if payload is None else {"Content-Type": "application/json"}
            connection.request(method, path, payload, headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except http.client.HTTPException as error:
            raise ValueError(f"{self.url} does not speak HTTP: {error!r}") from error
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def healthy(self) -> bool:
        """Whether something at the address answers the health check as a directory does."""
        try:
            return self.request("GET", "/api/healthcheck") == (200, {"ok": True})
        except (OSError, ValueError):
            return False

    def topology(self) -> Topology:
        status, body = self.request("GET", "/api/presence/topology")
        if status != 200 or not isinstance(body, dict):
            raise ValueError(f"{self.url}/api/presence/topology answered {status}: {str(body)[:200]}")
        lists = [body.get(key) for key in ("mixNodes", "mixProviderNodes", "cocoNodes")]
        if not all(isinstance(entries, list) for entries in lists):
            raise ValueError(f"{self.url}/api/presence/topology is not a topology: {str(body)[:200]}")
        mixes, providers, coconodes = (tuple(entries or ()) for entries in lists)
        return Topology(mixes, providers, coconodes)
