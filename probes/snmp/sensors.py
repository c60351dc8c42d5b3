"""The sensors that there are. One more is a few more lines here, and a few on the reference page."""

from __future__ import annotations

from probes.snmp.pdu import Oid
from probes.snmp.question import IF_DESCR, IF_NAME, IF_OPER_STATUS, OPER_STATUS, SYS_UP_TIME
from probes.snmp.sensor import Figure, Sensor

_IF: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)  # IF-MIB, ifEntry (RFC 2863)
_IF_X: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)  # ifXEntry
_PHYSICAL: Oid = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)  # ENTITY-MIB, entPhysicalEntry (RFC 6933)
_PHYSICAL_SENSOR: Oid = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1)  # ENTITY-SENSOR-MIB, entPhySensorEntry (RFC 3433)
_BGP_PEER: Oid = (1, 3, 6, 1, 2, 1, 15, 3, 1)  # BGP4-MIB, bgpPeerEntry (RFC 4273)
_BATTERY: Oid = (1, 3, 6, 1, 2, 1, 33, 1, 2)  # UPS-MIB, upsBattery (RFC 1628)
_ASTERISK: Oid = (1, 3, 6, 1, 4, 1, 22736, 1)  # ASTERISK-MIB, asterisk

INTERFACES = Sensor(
    "interfaces",
    prefix="interface_",
    label=(IF_NAME, IF_DESCR),
    only=((*_IF, 7), 1),
    otherwise="administratively down",
    discontinuity=(*_IF_X, 19),
    figures=(
        Figure("oper_status", "ifOperStatus; 1 is up", (IF_OPER_STATUS,), words=OPER_STATUS),
        Figure("in_bits_per_second", "Bits received", ((*_IF_X, 6), (*_IF, 10)), scale=8, rate=True),
        Figure("out_bits_per_second", "Bits sent", ((*_IF_X, 10), (*_IF, 16)), scale=8, rate=True),
        Figure("in_errors_per_second", "Packets received with errors", ((*_IF, 14),), rate=True),
        Figure("out_errors_per_second", "Packets not sent for errors", ((*_IF, 20),), rate=True),
        Figure("in_discards_per_second", "Packets received and discarded", ((*_IF, 13),), rate=True),
        Figure("out_discards_per_second", "Packets to be sent and discarded", ((*_IF, 19),), rate=True),
    ),
    degraded={
        "oper_status": "3,5",
        "in_errors_per_second": "1..",
        "out_errors_per_second": "1..",
        "in_discards_per_second": "10..",
        "out_discards_per_second": "10..",
    },
    bad={"oper_status": "2,6,7"},
)

UPTIME = Sensor(
    "uptime",
    figures=(
        Figure("uptime_seconds", "Since the agent was last initialised", (SYS_UP_TIME,), scale=0.01),
        Figure("restarted", "1 if that was since the last probe", restart=True, words={1: "restarted"}),
    ),
    degraded={"restarted": "1"},
)

ASTERISK = Sensor(
    "asterisk",
    prefix="asterisk_",
    figures=(
        Figure("channels", "Active channels", ((*_ASTERISK, 5, 1, 0),)),
        Figure("calls", "Active calls", ((*_ASTERISK, 2, 5, 0),)),
        Figure("calls_per_second", "Calls that were processed", ((*_ASTERISK, 2, 6, 0),), rate=True),
    ),
)

UPS = Sensor(
    "ups",
    prefix="ups_",
    figures=(
        Figure(
            "battery_status",
            "upsBatteryStatus; 2 is normal",
            ((*_BATTERY, 1, 0),),
            words={1: "battery unknown", 2: "battery normal", 3: "battery low", 4: "battery depleted"},
        ),
        Figure("on_battery_seconds", "Since the mains failed; 0 if they have not", ((*_BATTERY, 2, 0),)),
        Figure("remaining_seconds", "Until the battery is depleted", ((*_BATTERY, 3, 0),), scale=60),
        Figure("charge_percent", "Charge of the battery", ((*_BATTERY, 4, 0),)),
    ),
    degraded={"battery_status": "1", "on_battery_seconds": "1..", "charge_percent": "..49"},
    bad={"battery_status": "3,4", "remaining_seconds": "..120", "charge_percent": "..19"},
)

TEMPERATURE = Sensor(
    "temperature",
    label=((*_PHYSICAL, 7), (*_PHYSICAL, 2)),
    only=((*_PHYSICAL_SENSOR, 1), 8),
    figures=(
        Figure(
            "temperature_celsius",
            "entPhySensorValue of the sensors for degrees Celsius",
            ((*_PHYSICAL_SENSOR, 4),),
            exponent=((*_PHYSICAL_SENSOR, 2), (*_PHYSICAL_SENSOR, 3)),
        ),
        Figure(
            "temperature_sensor_status",
            "entPhySensorOperStatus; 1 is ok",
            ((*_PHYSICAL_SENSOR, 5),),
            words={1: "sensor ok", 2: "sensor unavailable", 3: "sensor nonoperational"},
        ),
    ),
    degraded={"temperature_celsius": "75..", "temperature_sensor_status": "2,3"},
    bad={"temperature_celsius": "90.."},
)

BGP = Sensor(
    "bgp",
    prefix="bgp_",
    label=((*_BGP_PEER, 7),),
    only=((*_BGP_PEER, 3), 2),
    otherwise="administratively stopped",
    figures=(
        Figure(
            "peer_state",
            "bgpPeerState; 6 is established",
            ((*_BGP_PEER, 2),),
            words={1: "idle", 2: "connect", 3: "active", 4: "opensent", 5: "openconfirm", 6: "established"},
        ),
        Figure("peer_established_seconds", "Time in this state, or in the last one", ((*_BGP_PEER, 16),)),
    ),
    bad={"peer_state": "..5"},
)

SENSORS: dict[str, Sensor] = {
    sensor.name: sensor for sensor in (INTERFACES, UPTIME, ASTERISK, UPS, TEMPERATURE, BGP)
}
