"""What an SNMP check can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, model_validator

from probes.local import WayOptions
from probes.snmp.pdu import Version
from probes.snmp.question import Expected, parse_expected
from probes.snmp.ranges import LimitsOption
from probes.snmp.sensors import SENSORS
from probes.snmp.usm import Auth, Priv


def _is_sensor(name: str) -> str:
    if name not in SENSORS:
        raise ValueError(f"expected a sensor, one of {', '.join(SENSORS)}, not {name!r}")
    return name


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

    sensor: Annotated[str, AfterValidator(_is_sensor)] | None = None
    """A named set of figures, instead of an object; see probes.snmp.sensors."""

    row: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """The one row of the sensor's table to read, by its name; without it all of them."""

    degraded: LimitsOption = ()
    bad: LimitsOption = ()
    """Ranges of a figure in which it is degraded, or bad, in place of the sensor's own: ``70..`` for the first
    figure (or the object), or a mapping by figure."""

    @model_validator(mode="after")
    def _limits_fit_the_sensor(self) -> SnmpOptions:
        sensor = SENSORS[self.sensor] if self.sensor else None
        if sensor is not None and self.expect is not None:
            raise ValueError("expect is for objects; a sensor has degraded and bad")
        if self.row is not None and (sensor is None or not sensor.label):
            raise ValueError("row needs a sensor that has rows")
        known = [figure.name for figure in sensor.figures] if sensor else []
        for name, _ in (*self.degraded, *self.bad):
            if name and name not in known:
                figures = f"a figure of {self.sensor}: {', '.join(known)}" if known else "a range"
                raise ValueError(f"expected {figures}; not {name!r}")
        return self

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
