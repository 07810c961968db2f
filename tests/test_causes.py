"""Every cause of FreeSWITCH, by its name and code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsivr import HangupCause
from fsivr.esl.messages import Event
from tests.esl.transcript import messages, names, stream

#: switch_types.h of 1.11, switch_call_cause_t, in its order.
TABLE = {
    name: int(code)
    for code, name in (
        row.split()
        for row in """
    0 NONE
    1 UNALLOCATED_NUMBER
    2 NO_ROUTE_TRANSIT_NET
    3 NO_ROUTE_DESTINATION
    6 CHANNEL_UNACCEPTABLE
    7 CALL_AWARDED_DELIVERED
    16 NORMAL_CLEARING
    17 USER_BUSY
    18 NO_USER_RESPONSE
    19 NO_ANSWER
    20 SUBSCRIBER_ABSENT
    21 CALL_REJECTED
    22 NUMBER_CHANGED
    23 REDIRECTION_TO_NEW_DESTINATION
    25 EXCHANGE_ROUTING_ERROR
    27 DESTINATION_OUT_OF_ORDER
    28 INVALID_NUMBER_FORMAT
    29 FACILITY_REJECTED
    30 RESPONSE_TO_STATUS_ENQUIRY
    31 NORMAL_UNSPECIFIED
    34 NORMAL_CIRCUIT_CONGESTION
    38 NETWORK_OUT_OF_ORDER
    41 NORMAL_TEMPORARY_FAILURE
    42 SWITCH_CONGESTION
    43 ACCESS_INFO_DISCARDED
    44 REQUESTED_CHAN_UNAVAIL
    45 PRE_EMPTED
    50 FACILITY_NOT_SUBSCRIBED
    52 OUTGOING_CALL_BARRED
    54 INCOMING_CALL_BARRED
    57 BEARERCAPABILITY_NOTAUTH
    58 BEARERCAPABILITY_NOTAVAIL
    63 SERVICE_UNAVAILABLE
    65 BEARERCAPABILITY_NOTIMPL
    66 CHAN_NOT_IMPLEMENTED
    69 FACILITY_NOT_IMPLEMENTED
    79 SERVICE_NOT_IMPLEMENTED
    81 INVALID_CALL_REFERENCE
    88 INCOMPATIBLE_DESTINATION
    95 INVALID_MSG_UNSPECIFIED
    96 MANDATORY_IE_MISSING
    97 MESSAGE_TYPE_NONEXIST
    98 WRONG_MESSAGE
    99 IE_NONEXIST
    100 INVALID_IE_CONTENTS
    101 WRONG_CALL_STATE
    102 RECOVERY_ON_TIMER_EXPIRE
    103 MANDATORY_IE_LENGTH_ERROR
    111 PROTOCOL_ERROR
    127 INTERWORKING
    142 SUCCESS
    487 ORIGINATOR_CANCEL
    700 CRASH
    701 SYSTEM_SHUTDOWN
    702 LOSE_RACE
    703 MANAGER_REQUEST
    800 BLIND_TRANSFER
    801 ATTENDED_TRANSFER
    802 ALLOTTED_TIMEOUT
    803 USER_CHALLENGE
    804 MEDIA_TIMEOUT
    805 PICKED_OFF
    806 USER_NOT_REGISTERED
    807 PROGRESS_TIMEOUT
    808 INVALID_GATEWAY
    809 GATEWAY_DOWN
    810 INVALID_URL
    811 INVALID_PROFILE
    812 NO_PICKUP
    813 SRTP_READ_ERROR
    814 BOWOUT
    815 BUSY_EVERYWHERE
    816 DECLINE
    817 DOES_NOT_EXIST_ANYWHERE
    818 NOT_ACCEPTABLE
    819 UNWANTED
    820 NO_IDENTITY
    821 BAD_IDENTITY_INFO
    822 UNSUPPORTED_CERTIFICATE
    823 INVALID_IDENTITY
    824 STALE_DATE
    825 REJECT_ALL
    """.strip().splitlines()
    )
}


def test_the_causes_are_those_of_the_switch() -> None:
    assert {cause.name: cause.value for cause in HangupCause} == TABLE


def test_no_code_stands_for_two_causes() -> None:
    assert len(HangupCause) == len(set(TABLE.values())) == len(TABLE)


@pytest.mark.parametrize(("name", "code"), TABLE.items())
def test_a_cause_is_found_by_name_and_by_number(name: str, code: int) -> None:
    cause = HangupCause[name]
    assert cause.q850 == code
    assert str(cause) == name
    for text in (name, name.lower(), f" {name} ", str(code), code):
        assert HangupCause.parse(text) is cause


@pytest.mark.parametrize(
    "text", ["", " ", "NO_SUCH_CAUSE", "-1", "1.0", "+16", "1_6", "\u0661\u0666", "0x10", "99999", None, 9999]
)
def test_what_is_no_cause_gives_the_default(text: str | int | None) -> None:
    assert HangupCause.parse(text) is HangupCause.NORMAL_UNSPECIFIED
    assert HangupCause.parse(text, HangupCause.CRASH) is HangupCause.CRASH


@given(st.text())
def test_any_text_gives_a_cause(text: str) -> None:
    assert isinstance(HangupCause.parse(text), HangupCause)


def test_the_causes_a_real_switch_named_are_known() -> None:
    seen = set()
    for name in names():
        for message in messages([stream(name)]):
            if isinstance(message, Event) and (cause := message.get("Hangup-Cause")):
                seen.add(cause)
    assert len(seen) == 8
    assert seen <= set(TABLE)
