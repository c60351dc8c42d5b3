"""SIP URIs as targets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.prober import prober_for
from probes.sip import SipProber


@pytest.mark.parametrize(
    "text",
    [
        "sip:",
        "sip:host:99999",
        "sip:host:0",
        "sip:a b@host",
        "sip:host\r\nVia: x",
        "sip:host;transport=sctp",
        "sips:host;transport=udp",
        "sip://host",
        "sip:[::1",
        "sip:[::g]",
        "sip:[192.0.2.1]",
        "sip:a%0d%0aX:@host",
        "sip:a%00@host",
        "sip:a%zz@host",
        "sip:host:٥٠٦٠",
        "sip:host;transport=udp;x=%0a",
        "sip:host;transport=udp\n",
    ],
)
def test_what_is_no_target_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="expected"):
        prober_for(text).parse(text)


@pytest.mark.parametrize(
    ("text", "host", "port", "transport", "secure"),
    [
        ("sip:sbc.example.net", "sbc.example.net", None, None, False),
        ("sip:100@192.0.2.1:5080;transport=TCP", "192.0.2.1", 5080, "tcp", False),
        ("sip:[2001:db8::1]:5070", "2001:db8::1", 5070, None, False),
        ("SIP:host;transport=udp;lr", "host", None, "udp", False),
        ("sip:%2b352@host", "host", None, None, False),
        ("sip:[fe80::1%eth0]:5070", "fe80::1%eth0", 5070, None, False),
        ("sips:host", "host", None, "tls", True),
        ("SIPS:host;transport=tcp", "host", None, "tls", True),
        ("sip:host;transport=TLS", "host", None, "tls", True),
    ],
)
def test_a_target_names_host_and_what_it_wants_of_port_and_transport(text, host, port, transport, secure):
    target = SipProber.parse(text)
    assert (target.host, target.port, target.transport, target.secure) == (host, port, transport, secure)


def test_the_zone_of_an_address_stays_on_this_host():
    assert SipProber.parse("sip:a@[fe80::1%eth0]:5070;lr").uri == "sip:a@[fe80::1]:5070;lr"


@given(st.text(st.sampled_from('aZ09%@:;=[].-_~/?&<>" \t\r\n\0\x7fé'), max_size=30))
def test_no_target_can_break_out_of_the_request_line(text):
    try:
        target = SipProber.parse(f"sip:{text}")
    except ValueError:
        return
    assert target.uri.isascii()
    assert target.uri.isprintable()
    assert not set(target.uri) & set(' <>"')
