"""4200, as its callers hear it."""

from __future__ import annotations

from pathlib import Path

from fsivr import HangupCause, Tone

from apps.survey import answers

BEEP = Tone("%(200,0,1000)")


def test_the_answers_are_kept(switch):
    with switch.call("4200") as caller:
        caller.hears("survey/welcome", "survey/friendly")
        caller.dials("5")
        caller.hears("survey/quick")
        caller.dials("9")
        caller.hears("survey/one-to-five", "survey/quick")
        caller.dials("3")
        caller.hears("survey/again")
        caller.dials("1")
        caller.hears("survey/leave-a-word")
        caller.dials("2")
        caller.hears("survey/thanks")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING
    assert answers.entries() == [{"call": caller.uuid, "friendly": 5, "quick": 3, "again": 1, "word": None}]


def test_a_word_of_ones_own_is_recorded(switch):
    with switch.call("4200") as caller:
        caller.hears("survey/welcome", "survey/friendly")
        caller.dials("4")
        caller.hears("survey/quick")
        caller.dials("4")
        caller.hears("survey/again")
        caller.dials("4")
        caller.hears("survey/leave-a-word")
        caller.dials("1")
        caller.hears(BEEP)
        caller.talks(3)
        caller.dials("#")
        caller.hears("survey/thanks")
    [entry] = answers.entries()
    assert Path(entry["word"]).stat().st_size > 3 * 16_000


def test_a_caller_who_leaves_half_way_has_answered_all_the_same(switch):
    with switch.call("4200") as caller:
        caller.hears("survey/welcome", "survey/friendly")
        caller.dials("2")
        caller.hears("survey/quick")
        caller.hangs_up()
    assert answers.entries() == [{"call": caller.uuid, "friendly": 2, "word": None}]
