"""What a scrape of ``/probe`` asks for: a module, a target in the form that blackbox_exporter knows, a time-out."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from monitor.config.modules import LONGEST_MS
from monitor.config.values import ModuleConfig, ProbeConfig
from monitor.web.asking import BadRequest, Forbidden
from probes.prober import Options, Prober
from probes.regex import compiled

DEFAULT_MODULE = "http_2xx"
"""As blackbox_exporter has it."""

SCRAPE_TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"

OFFSET_S = 0.5
"""What is left of the scrape's time-out for the way back."""

LONGEST_TARGET = 2_000
SHORTEST_MS = 1

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_OPAQUE = {"sip": ("sip:", "sips:"), "call": ("call:", "calls:")}
"""Schemes that have no slashes; their targets may come with or without them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A probe to make. ``target`` is as the request had it, ``parsed`` as the prober knows it."""

    module: ModuleConfig
    target: str
    parsed: object
    options: Options
    debug: bool

    @property
    def prober(self) -> type[Prober[Any, Any]]:
        return self.module.prober


def read(
    query: Mapping[str, str],
    headers: Mapping[str, str],
    modules: Mapping[str, ModuleConfig],
    allowed: ProbeConfig,
) -> Asked:
    """Raises BadRequest with what was expected, and Forbidden."""
    module = _module(query.get("module") or DEFAULT_MODULE, modules, allowed)
    target = query.get("target", "")
    if not target:
        raise BadRequest("target: expected one, such as /probe?target=192.0.2.1&module=icmp")
    if len(target) > LONGEST_TARGET:
        raise BadRequest(f"target: expected at most {LONGEST_TARGET} characters")
    if allowed.targets is not None and not any(_whole(pattern, target) for pattern in allowed.targets):
        raise Forbidden("target: the configuration does not allow it (agent.probe.targets)")
    try:
        parsed = module.prober.parse(_url(module, target))
    except ValueError as error:
        raise BadRequest(f"target: {error}") from None
    timeout_ms = _timeout_ms(module, headers.get(SCRAPE_TIMEOUT))
    options = _options(module, query.get("hostname", ""), timeout_ms)
    return Asked(module, target, parsed, options, query.get("debug") == "true")


def _module(name: str, modules: Mapping[str, ModuleConfig], allowed: ProbeConfig) -> ModuleConfig:
    module = modules.get(name)
    if module is None:
        raise BadRequest(f"Unknown module {name!r:.80}: expected one of {', '.join(modules) or '(none)'}")
    if allowed.modules is not None and name not in allowed.modules:
        raise Forbidden(f"module: the configuration does not allow {name!r:.80} (agent.probe.modules)")
    return module


def _whole(pattern: str, target: str) -> bool:
    return compiled(pattern).fullmatch(target.encode()) is not None


def _url(module: ModuleConfig, target: str) -> str:
    """The target as the prober takes it: with a scheme, brackets around an IPv6 address, and the module's tail."""
    scheme = module.scheme
    if scheme in _OPAQUE:
        return target if target.lower().startswith(_OPAQUE[scheme]) else f"{scheme}:{target}"
    if _SCHEME.match(target):
        return target + module.tail
    try:
        bare = ipaddress.ip_address(target.partition("%")[0]).version == 6
    except ValueError:
        bare = False
    return f"{scheme}://[{target}]{module.tail}" if bare else f"{scheme}://{target}{module.tail}"


def _timeout_ms(module: ModuleConfig, scrape: str | None) -> int:
    """The module's, but no longer than the scrape waits."""
    longest_ms = LONGEST_MS
    if scrape is not None:
        try:
            seconds = float(scrape)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds < 1e6:
            raise BadRequest(f"{SCRAPE_TIMEOUT}: expected seconds, not {scrape!r:.40}")
        if seconds > 0:
            longest_ms = (
                max(SHORTEST_MS, round((seconds - OFFSET_S) * 1000)) if seconds > OFFSET_S else LONGEST_MS
            )
    return min(longest_ms, module.timeout_ms or longest_ms)


def _options(module: ModuleConfig, hostname: str, timeout_ms: int) -> Options:
    told = {**module.options, "timeout": f"{timeout_ms}ms"}
    if hostname:
        told |= _named(module, hostname)
    try:
        return module.prober.options.model_validate(told)
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}".removeprefix(": ") for one in error.errors()
        )
        raise BadRequest(f"module {module.name} within {timeout_ms} ms: {said}") from None


def _named(module: ModuleConfig, hostname: str) -> dict[str, object]:
    """``hostname`` is for HTTP: the Host header, and with it the name that a certificate is verified for."""
    if module.scheme != "http":
        return {}
    headers = module.options.get("headers", {})
    assert isinstance(headers, Mapping)
    for name, value in headers.items():
        if str(name).lower() == "host" and value != hostname:
            raise BadRequest(f"hostname: the module sets the header Host to {value!r:.80} itself")
    return {"headers": {**headers, "Host": hostname}}
