"""SIP over TLS, and sound by SRTP, of a real switch with our configuration."""

from __future__ import annotations

import base64
import os
import re
import ssl
from pathlib import Path

import pytest
from gevent import socket

from fsivr import Call, Dialplan, Extension, Handler, Silence
from fsivr.config import Settings
from fsivr.server import Server
from tests.exporter.certificates import Authority
from tests.live.freeswitch import FreeSwitch, binary, free_port


class Answers(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        call.play(Silence(20.0))


def test_a_caller_over_tls_has_srtp(tmp_path: Path) -> None:
    program = binary()
    if program is None:
        pytest.skip("no FreeSWITCH on this machine: set FREESWITCH_BIN to its program")
    authority = Authority(tmp_path)
    address, dialplan = f"127.0.0.1:{free_port()}", Dialplan([Extension("30", Answers)])
    server = Server(dialplan, Settings.defaults(listen=address))
    server.start()
    switch = FreeSwitch(program, dialplan, [address], certificate=authority.server())
    try:
        context = ssl.create_default_context(cafile=str(authority.bundle))
        plain = socket.create_connection(("127.0.0.1", switch.tls), timeout=10)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            assert connection.version() in ("TLSv1.2", "TLSv1.3")
            connection.sendall(_invite(switch.tls))
            answer = _final(connection)
    finally:
        switch.close()
        server.stop(0)
    assert answer.startswith("SIP/2.0 200 "), answer
    assert "m=audio" in answer
    assert "RTP/SAVP 8" in answer
    assert "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" in answer


def _invite(port: int) -> bytes:
    key = base64.b64encode(os.urandom(30)).decode()
    sound = "\r\n".join(
        [
            *("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 40000 RTP/SAVP 8"),
            f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}",
            *("a=rtpmap:8 PCMA/8000", ""),
        ]
    )
    head = [
        f"INVITE sip:30@127.0.0.1:{port};transport=tls SIP/2.0",
        "Via: SIP/2.0/TLS 127.0.0.1:40001;branch=z9hG4bK1;rport",
        "Max-Forwards: 70",
        "From: <sip:4930123@127.0.0.1>;tag=1",
        f"To: <sip:30@127.0.0.1:{port}>",
        "Call-ID: tls-and-srtp",
        "CSeq: 1 INVITE",
        "Contact: <sip:4930123@127.0.0.1:40001;transport=tls>",
        "Content-Type: application/sdp",
        f"Content-Length: {len(sound)}",
    ]
    return ("\r\n".join([*head, "", ""]) + sound).encode()


def _final(connection: ssl.SSLSocket) -> str:
    """The final answer, with its body."""
    read = ""
    while True:
        piece = connection.recv(65536)
        assert piece, read
        read += piece.decode(errors="replace")
        final = re.search(r"SIP/2\.0 [2-6]\d\d .*", read, re.S)
        if final and (length := re.search(r"^Content-Length: (\d+)\r\n", final[0], re.M)):
            head, _, body = final[0].partition("\r\n\r\n")
            if len(body) >= int(length[1]):
                return f"{head}\n{body}"
