"""What the journal keeps of a call: enough to end it."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass

from probes.call.dialog import Dialog
from probes.call.options import CallOptions
from probes.resolve import Address
from probes.sip.locate import Member
from probes.sip.uri import SipTarget, parse_target


class NotARecord(ValueError):
    """The text in the journal is of no use."""


@dataclass(frozen=True, slots=True)
class Record:
    """A call to ``target`` by way of ``member``, from our ``port``; ``invite`` is our last INVITE as it was sent,
    ``dialogs`` those that are not ended."""

    target: SipTarget
    options: CallOptions
    member: Member
    port: int
    invite: bytes = b""
    dialogs: tuple[Dialog, ...] = ()

    def write(self) -> str:
        member = self.member
        return json.dumps(
            {
                "target": self.target.uri,
                "options": self.options.model_dump(
                    mode="json", by_alias=True, include=_KEPT, exclude_none=True
                ),
                "member": [
                    member.name,
                    member.address.host,
                    member.address.scope,
                    member.port,
                    member.transport,
                ],
                "port": self.port,
                "invite": self.invite.decode(),
                "dialogs": [asdict(dialog) for dialog in self.dialogs],
            }
        )


_KEPT = {
    *("route", "source_address", "dscp", "user", "auth_user", "password_file", "realm", "user_agent"),
    *("verify_tls", "ca_file", "certificate_file", "key_file", "server_name", "tls_min"),
}
"""The options that matter for the end of a call."""


def read(text: str) -> Record:
    """Raises NotARecord."""
    try:
        kept = json.loads(text)
        name, host, scope, port, transport = kept["member"]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return Record(
            target=parse_target(kept["target"]),
            options=CallOptions.model_validate(kept["options"]),
            member=Member(name, Address(family, host, scope), port, transport),
            port=kept["port"],
            invite=kept["invite"].encode(),
            dialogs=tuple(
                Dialog(**{**dialog, "routes": tuple(dialog["routes"])}) for dialog in kept["dialogs"]
            ),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise NotARecord(str(error)) from error
