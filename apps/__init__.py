"""The sample applications, and the table that says which number reaches which."""

from fsivr import Dialplan, Extension

from apps.attendant import Attendant
from apps.balance import Balance

dialplan = Dialplan(
    [
        Extension("4100", Balance),
        Extension("5000", Attendant),
    ]
)
