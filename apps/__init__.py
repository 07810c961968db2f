"""The sample applications, and the table that says which number reaches which."""

from fsivr import Dialplan, Extension

from apps.attendant import Attendant
from apps.balance import Balance
from apps.callback import CallBack, Support
from apps.meeting import Meeting
from apps.reminder import Reminder
from apps.survey import Survey
from apps.voicemail import LeaveMessage, Mailbox

dialplan = Dialplan(
    [
        Extension("4100", Balance),
        Extension("4200", Survey),
        Extension("4300", Mailbox),
        Extension(r"43\d\d", LeaveMessage),
        Extension("4400", Support),
        Extension("4500", Meeting),
        Extension("5000", Attendant),
    ],
    outbound=[CallBack, Reminder],
)
