"""What an SNMP check can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, InstanceOf, model_validator

from probes.local import WayOptions
from probes.snmp.pdu import Version
from probes.snmp.question import Expected, parse_expected
from probes.snmp.usm import Auth, Priv


class SnmpOptions(WayOptions):
    """What an SNMP check can be told. An agent answers a wrong community with silence: it reads as a time-out."""

    version: Annotated[Version, BeforeValidator(str)] = "2c"

    community: Literal["public"] = "public"
    """The one community that is no secret; all others come from a file."""

    community_file: Path | None = None
    """File with the community in its first line; a name alone is a systemd credential."""

    user: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    """Whom to ask as, in version 3. The level is what else is given: nothing, ``auth``, or ``auth`` and ``priv``."""

    auth: Auth | None = None
    auth_password_file: Path | None = None
    priv: Priv | None = None
    """The keys of aes192 and aes256 are made as net-snmp makes them, those of aes192c and aes256c as Cisco does."""

    priv_password_file: Path | None = None

    context: Annotated[str, Field(max_length=255)] = ""
    """Which of the agent's contexts to ask, in version 3."""

    expect: Annotated[InstanceOf[Expected], BeforeValidator(parse_expected)] | None = None
    """The wanted value: a number, a range such as 0..80, or a text. Default: 1 (up) for ifOperStatus, else any."""

    @model_validator(mode="after")
    def _credentials_fit_the_version(self) -> SnmpOptions:
        modern = self.user or self.auth or self.priv or self.context
        if self.version != "3" and modern:
            raise ValueError("user, auth, priv and context need version: 3")
        if self.version == "3" and self.user is None:
            raise ValueError("version 3 needs a user")
        if self.version == "3" and self.community_file:
            raise ValueError("version 3 has no community")
        for protocol in ("auth", "priv"):
            if (getattr(self, protocol) is None) != (getattr(self, f"{protocol}_password_file") is None):
                raise ValueError(f"{protocol} and {protocol}_password_file need each other")
        if self.priv and not self.auth:
            raise ValueError("priv needs auth")
        return self
