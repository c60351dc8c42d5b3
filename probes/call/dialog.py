"""A dialog as its caller has it (RFC 3261 §12), and the requests within it."""

from __future__ import annotations

from dataclasses import dataclass

from probes.sip.address import parse_address
from probes.sip.message import NotSip, Request, Response
from probes.sip.request import written

MAX_FORWARDS = "70"

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Dialog:
    """``local`` and ``remote`` are the values of From and To with their tags; ``target`` is the peer's contact;
    ``routes`` are the proxies that stay on the way, as Route values, ours first."""

    call_id: str
    local: str
    remote: str
    target: str
    routes: tuple[str, ...]

    @classmethod
    def of(cls, invite: Request, answer: Response) -> Dialog:
        """The one that an answer to our INVITE makes (§12.1.2). Raises NotSip where it cannot be read.

        An answer without a contact is taken to come from whom we called: who made it can still be hung up on.
        """
        contacts, routes = answer.all("contact"), answer.all("record-route")
        for route in routes:
            parse_address(route)
        return cls(
            call_id=invite.get("call-id") or "",
            local=invite.get("from") or "",
            remote=_value(answer, "to"),
            target=parse_address(contacts[0]).uri if contacts else invite.uri,
            routes=tuple(reversed(routes)),
        )

    @property
    def remote_tag(self) -> str | None:
        return parse_address(self.remote).tag

    @property
    def hop(self) -> str:
        """The URI of where requests go first."""
        return parse_address(self.routes[0]).uri if self.routes else self.target

    def request(self, method: str, via: str, cseq: int, headers: Headers | None = None) -> bytes:
        """A request in the dialog (§12.2.1.1); ``via`` is the value of our Via."""
        uri, routes = self.target, list(self.routes)
        if routes and not _is_loose(self.hop):  # a router of RFC 2543's times
            uri, routes = self.hop, [*routes[1:], f"<{self.target}>"]
        return written(
            method,
            uri,
            [
                ("Via", via),
                ("Max-Forwards", MAX_FORWARDS),
                *(("Route", route) for route in routes),
                ("From", self.local),
                ("To", self.remote),
                ("Call-ID", self.call_id),
                ("CSeq", f"{cseq} {method}"),
                *(headers or ()),
            ],
        )


def _value(message: Response, name: str) -> str:
    value = message.get(name)
    if value is None:
        raise NotSip(f"no {name} header")
    parse_address(value)
    return value


def _is_loose(uri: str) -> bool:
    parameters = uri.rpartition("@")[2].split(";")[1:]
    return any(one.partition("=")[0].lower() == "lr" for one in parameters)
