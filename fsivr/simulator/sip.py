"""What FreeSWITCH knows of a SIP call: the header set of a real one, filled in for a simulated one.

The names and their order are those of capture ``01b_basic_sip``.
"""

from __future__ import annotations

from dataclasses import dataclass

_HOST = "127.0.0.1"
_PORT = 5101
_REMOTE_SDP = (
    "v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 30020 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-16\r\na=ptime:20\r\n"
)
_LOCAL_SDP = (
    "v=0\r\no=FreeSWITCH 1795410436 1795410437 IN IP4 127.0.0.1\r\ns=FreeSWITCH\r\nc=IN IP4 127.0.0.1\r\n"
    "t=0 0\r\nm=audio 15736 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\na=rtcp:15737 IN IP4 127.0.0.1\r\n"
)


@dataclass(frozen=True, slots=True)
class Profile:
    """Who calls whom."""

    uuid: str
    number: str
    caller_number: str
    caller_name: str
    context: str
    direction: str = "inbound"

    @property
    def channel_name(self) -> str:
        """The channel's name, as ``sofia/internal/1000@127.0.0.1:5101``."""
        return f"sofia/internal/{self.address}"

    @property
    def address(self) -> str:
        """The caller's SIP address."""
        return f"{self.caller_number}@{_HOST}:{_PORT}"

    @property
    def shown_name(self) -> str:
        """The caller's name, or number where there is none."""
        return self.caller_name or self.caller_number


#: The headers of a profile, after ``Caller-`` or ``Channel-``; "" for what is told per event.
TIMES = (
    "Profile-Created-Time",
    "Channel-Created-Time",
    "Channel-Answered-Time",
    "Channel-Progress-Time",
    "Channel-Progress-Media-Time",
    "Channel-Hangup-Time",
    "Channel-Transfer-Time",
    "Channel-Resurrect-Time",
    "Channel-Bridged-Time",
    "Channel-Last-Hold",
    "Channel-Hold-Accum",
)


def profile_headers(profile: Profile, prefix: str, times: dict[str, int], callee: str = "") -> list[tuple[str, str]]:
    """The caller profile as headers, each name beginning with ``prefix``."""
    number, name = profile.caller_number, profile.shown_name
    rows = [
        ("Direction", profile.direction),
        ("Logical-Direction", profile.direction),
        ("Username", number),
        ("Dialplan", "XML"),
        ("Caller-ID-Name", name),
        ("Caller-ID-Number", number),
        ("Orig-Caller-ID-Name", name),
        ("Orig-Caller-ID-Number", number),
        ("Callee-ID-Name", callee),
        ("Callee-ID-Number", callee),
        ("Network-Addr", _HOST),
        ("ANI", number),
        ("Destination-Number", profile.number),
        ("Unique-ID", profile.uuid),
        ("Source", "mod_sofia"),
        ("Context", profile.context),
        ("Channel-Name", profile.channel_name),
        ("Profile-Index", "1"),
        *((name, str(times.get(name, 0))) for name in TIMES),
        ("Screen-Bit", "true"),
        ("Privacy-Hide-Name", "false"),
        ("Privacy-Hide-Number", "false"),
    ]
    return [(f"{prefix}-{name}", value) for name, value in rows]


def callee_headers(profile: Profile, uuid: str, number: str, name: str, times: dict[str, int]) -> list[tuple[str, str]]:
    """The other leg of a bridge as ``Other-Leg-`` headers (capture 05a_bridge_answered_sip)."""
    callee = Profile(uuid, number, profile.caller_number, profile.caller_name, profile.context)
    rows = []
    for key, value in profile_headers(callee, "Other-Leg", times, number):
        if key == "Other-Leg-Direction":
            value = "outbound"
        elif key == "Other-Leg-Channel-Name":
            value = name
        if key != "Other-Leg-Profile-Index":
            rows.append((key, value))
    return [("Other-Type", "originatee"), *rows]


def at_arrival(profile: Profile, session_id: int, stamp: int) -> dict[str, str]:
    """The variables of a channel when its ``socket`` application starts."""
    to = f"{profile.number}@{_HOST}:5060"
    values = _arrival(profile, session_id, stamp, to)
    values.update(_request(profile, to))
    values.update(_media())
    values["DP_MATCH"] = f"ARRAY::{profile.number}|:{profile.number}"
    values["call_uuid"] = profile.uuid
    return {name: value for name, value in values.items() if value}


def _arrival(profile: Profile, session_id: int, stamp: int, to: str) -> dict[str, str]:
    number, address = profile.caller_number, profile.address
    return {
        "direction": "inbound",
        "uuid": profile.uuid,
        "session_id": str(session_id),
        "sip_from_user": number,
        "sip_from_port": str(_PORT),
        "sip_from_uri": address,
        "sip_from_host": _HOST,
        "video_media_flow": "disabled",
        "text_media_flow": "disabled",
        "channel_name": profile.channel_name,
        "sip_call_id": f"1-{session_id}@{_HOST}",
        "sip_local_network_addr": _HOST,
        "sip_network_ip": _HOST,
        "sip_network_port": str(_PORT),
        "sip_invite_stamp": str(stamp),
        "sip_received_ip": _HOST,
        "sip_received_port": str(_PORT),
        "sip_via_protocol": "udp",
        "sip_from_user_stripped": number,
        "sip_from_tag": _tag(session_id),
        "sofia_profile_name": "internal",
        "sofia_profile_url": f"sip:mod_sofia@{_HOST}:5060",
        "recovery_profile_name": "internal",
        "sip_full_via": _via(session_id, 0),
        "sip_from_display": profile.caller_name,
        "sip_full_from": f"{_quoted(profile.caller_name)}<sip:{address}>;tag={_tag(session_id)}",
        "sip_full_to": f"<sip:{to}>",
    }


def _request(profile: Profile, to: str) -> dict[str, str]:
    user = profile.number
    contact = profile.caller_number
    return {
        "sip_req_user": user,
        "sip_req_port": "5060",
        "sip_req_uri": to,
        "sip_req_host": _HOST,
        "sip_to_user": user,
        "sip_to_port": "5060",
        "sip_to_uri": to,
        "sip_to_host": _HOST,
        "sip_contact_user": contact,
        "sip_contact_port": str(_PORT),
        "sip_contact_uri": profile.address,
        "sip_contact_host": _HOST,
        "sip_subject": "Lab",
        "sip_user_agent": "sipp-lab",
        "sip_via_host": _HOST,
        "sip_via_port": str(_PORT),
        "max_forwards": "70",
        "sip_h_X-Custom-Hdr": "a:b%41 c;d=e",
    }


def _media() -> dict[str, str]:
    return {
        "switch_r_sdp": _REMOTE_SDP,
        "ep_codec_string": "CORE_PCM_MODULE.PCMU@8000h@20i@64000b",
        "rtp_use_codec_string": "PCMU,PCMA",
        "remote_video_media_flow": "inactive",
        "remote_text_media_flow": "inactive",
        "remote_audio_media_flow": "sendrecv",
        "audio_media_flow": "sendrecv",
        "remote_media_ip": _HOST,
        "remote_media_port": "30020",
        "rtp_audio_recv_pt": "0",
        "rtp_use_codec_name": "PCMU",
        "rtp_use_codec_rate": "8000",
        "rtp_use_codec_ptime": "20",
        "rtp_use_codec_channels": "1",
        "rtp_last_audio_codec_string": "PCMU@8000h@20i@1c",
        "read_codec": "PCMU",
        "original_read_codec": "PCMU",
        "read_rate": "8000",
        "original_read_rate": "8000",
        "write_codec": "PCMU",
        "write_rate": "8000",
        "dtmf_type": "rfc2833",
        "endpoint_disposition": "RECEIVED",
    }


def at_media() -> dict[str, str]:
    """The variables that come with the media: an answer, or a pre-answer."""
    return {
        "rtp_local_sdp_str": _LOCAL_SDP,
        "local_media_ip": _HOST,
        "local_media_port": "15736",
        "advertised_media_ip": _HOST,
        "rtp_use_timer_name": "soft",
        "rtp_use_pt": "0",
        "rtp_use_ssrc": "1393490836",
        "rtp_2833_send_payload": "101",
        "rtp_2833_recv_payload": "101",
        "remote_media_ip": _HOST,
        "remote_media_port": "30020",
    }


def at_acknowledgement(profile: Profile, session_id: int) -> dict[str, str]:
    """The variables that the caller's ACK to an answer brings anew."""
    tag = local_tag(session_id)
    display = profile.caller_name.split(" ")[0]
    values = {
        "sip_to_tag": tag,
        "sip_from_tag": _tag(session_id),
        "sip_cseq": "1",
        "sip_call_id": f"1-{session_id}@{_HOST}",
        "sip_full_via": _via(session_id, 5),
        "sip_from_display": display,
        "sip_full_from": f"{_quoted(display)}<sip:{profile.address}>;tag={_tag(session_id)}",
        "sip_full_to": f"<sip:{profile.number}@{_HOST}:5060>;tag={tag}",
    }
    return {name: value for name, value in values.items() if value}


def local_tag(session_id: int) -> str:
    """Our side's tag of the SIP dialogue."""
    return f"FaDNQjj{session_id:06d}"


def _quoted(name: str) -> str:
    return f'"{name}" ' if name else ""


def _tag(session_id: int) -> str:
    return f"{session_id}SIPpTag001"


def _via(session_id: int, branch: int) -> str:
    return f"SIP/2.0/UDP {_HOST}:{_PORT};branch=z9hG4bK-{session_id}-1-{branch}"


#: The RTP statistics that CHANNEL_HANGUP_COMPLETE ends with, where there was media.
RTP_STATISTICS = (
    *(
        (f"rtp_audio_in_{name}", value)
        for name, value in (
            ("raw_bytes", "0"),
            ("media_bytes", "0"),
            ("packet_count", "0"),
            ("media_packet_count", "0"),
            ("skip_packet_count", "114"),
            ("jitter_packet_count", "0"),
            ("dtmf_packet_count", "0"),
            ("cng_packet_count", "0"),
            ("flush_packet_count", "0"),
            ("largest_jb_size", "0"),
            ("jitter_min_variance", "0.00"),
            ("jitter_max_variance", "0.00"),
            ("jitter_loss_rate", "0.00"),
            ("jitter_burst_rate", "0.00"),
            ("mean_interval", "0.00"),
            ("flaw_total", "0"),
            ("quality_percentage", "100.00"),
            ("mos", "4.50"),
        )
    ),
    *(
        (f"rtp_audio_out_{name}", value)
        for name, value in (
            ("raw_bytes", "19092"),
            ("media_bytes", "19092"),
            ("packet_count", "111"),
            ("media_packet_count", "111"),
            ("skip_packet_count", "0"),
            ("dtmf_packet_count", "0"),
            ("cng_packet_count", "0"),
        )
    ),
    ("rtp_audio_rtcp_packet_count", "0"),
    ("rtp_audio_rtcp_octet_count", "0"),
)
