"""A PJSIP user agent, as a process of its own: it says its port, and answers by the number that is called.

``echo`` sends audio back, ``early`` before it answers as well, ``mute`` sends silence, ``hangup`` ends the call
itself, ``busy`` and ``ring`` do not answer. It ends when whoever started it is no more.
"""

from __future__ import annotations

import os

import pjsua2 as pj

RINGS_MS = 300
TALKS_MS = 400


class Call(pj.Call):
    def __init__(self, account: pj.Account, call_id: int, number: str) -> None:
        super().__init__(account, call_id)
        self.number = number

    def onCallMediaState(self, _: pj.OnCallMediaStateParam) -> None:
        if self.number != "mute":
            audio = self.getAudioMedia(-1)
            audio.startTransmit(audio)

    def onCallState(self, _: pj.OnCallStateParam) -> None:
        if self.getInfo().state == pj.PJSIP_INV_STATE_DISCONNECTED:
            CALLS.remove(self)

    def go_on(self) -> None:
        """Answer or hang up, if it is time."""
        info, how = self.getInfo(), pj.CallOpParam(True)
        if self.number == "early" and info.state == pj.PJSIP_INV_STATE_EARLY:
            if info.totalDuration.msec > RINGS_MS:
                how.statusCode = 200
                self.answer(how)
        elif self.number == "hangup" and info.connectDuration.msec > TALKS_MS:
            self.hangup(how)


CALLS: list[Call] = []


class Account(pj.Account):
    def onIncomingCall(self, incoming: pj.OnIncomingCallParam) -> None:
        number = incoming.rdata.wholeMsg.partition("sip:")[2].partition("@")[0]
        call = Call(self, incoming.callId, number)
        CALLS.append(call)
        how = pj.CallOpParam(True)
        how.statusCode = {"busy": 486, "ring": 180, "early": 183}.get(number, 200)
        call.answer(how)


def main() -> None:
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.logConfig.level = 0
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.medConfig.noVad = True
    endpoint.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress = transport.publicAddress = "127.0.0.1"
    number = endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    settings = pj.AccountConfig()
    settings.idUri = "sip:pjsip@127.0.0.1"
    settings.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
    settings.mediaConfig.transportConfig.port = 30_000
    settings.mediaConfig.transportConfig.portRange = 2_000
    account = Account()
    account.create(settings)
    print("port", endpoint.transportGetInfo(number).localAddress.rpartition(":")[2], flush=True)
    parent = os.getppid()
    while os.getppid() == parent:
        endpoint.libHandleEvents(10)
        for call in list(CALLS):
            call.go_on()


if __name__ == "__main__":
    main()
