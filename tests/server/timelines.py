"""What the timeline has of each verb of ``tests/verbs.py``."""

from __future__ import annotations

from typing import Any

TIMELINES: dict[str, list[dict[str, Any]]] = {
    "answer": [{"verb": "answer"}],
    "play one": [{"verb": "play", "given": {"prompts": ["one"]}}],
    "play several": [{"verb": "play", "given": {"prompts": ["one", "two", "Say.number(3)", "four"]}}],
    "ask": [
        {"verb": "ask", "given": {"prompts": ["one"], "digits": 4}, "tries": [{"said": "1234", "outcome": "answer"}]}
    ],
    "menu": [
        {
            "verb": "menu",
            "given": {"prompts": ["one", "two"], "choices": ["1", "22"]},
            "tries": [{"said": "1", "outcome": "answer"}],
        }
    ],
    "sleep": [{"verb": "sleep", "given": {"seconds": 30}}],
    "set variable": [{"verb": "set_variable", "given": {"name": "note"}}],
    "hangup": [{"verb": "hangup", "given": {"cause": "USER_BUSY"}, "over": "USER_BUSY"}],
    "execute": [
        {"verb": "execute", "given": {"application": "playback", "argument": "one.wav"}, "result": "FILE PLAYED"}
    ],
    "invoke": [
        {"verb": "invoke", "given": {"handler": "tests.verbs.Playing"}},
        {"verb": "play", "given": {"prompts": ["one"]}},
    ],
    "deadline": [{"verb": "deadline", "given": {"seconds": 60}}, {"verb": "play", "given": {"prompts": ["one"]}}],
    "interruptible": [{"verb": "interruptible"}, {"verb": "play", "given": {"prompts": ["one"]}}],
    "ask sensitive": [
        {
            "verb": "ask",
            "given": {"prompts": ["one"], "digits": 4, "sensitive": True},
            "tries": [{"said": "******", "outcome": "answer"}],
        }
    ],
    "ask typed ahead": [
        {
            "verb": "ask",
            "given": {"prompts": ["one", "Say.number(3)"], "digits": 4},
            "tries": [{"said": "1234", "type_ahead": True, "outcome": "answer"}],
        }
    ],
    "confirm": [
        {
            "verb": "confirm",
            "given": {"prompts": ["Uninterrupted('one')", "two"]},
            "tries": [{"said": "1", "outcome": "answer"}],
            "result": True,
        }
    ],
    "play interrupt": [{"verb": "play", "given": {"prompts": ["one", "two", "Say.number(3)"], "interrupt": "any"}}],
    "music": [{"verb": "music", "given": {"prompt": "hold"}}, {"verb": "play", "given": {"prompts": ["one", "two"]}}],
    "flush": [{"verb": "flush"}, {"verb": "sleep", "given": {"seconds": 1}}],
    "on digit": [{"verb": "on_digit", "given": {"function": "len"}}, {"verb": "play", "given": {"prompts": ["one"]}}],
    "listen": [
        {
            "verb": "listen",
            "given": {"prompts": ["one"]},
            "tries": [{"said": "yes", "outcome": "answer"}],
            "result": {"text": "yes", "confidence": 0.9, "meaning": "", "slots": {}},
        }
    ],
    "listen for long": [
        {
            "verb": "listen",
            "given": {
                "prompts": ["one", "Say.number(2)", "three"],
                "engine": "unimrcp:main",
                "timeout": 20,
                "limit": 30,
            },
            "tries": [{"said": "yes", "outcome": "answer"}],
            "result": {"text": "yes", "confidence": 0.9, "meaning": "yes", "slots": {}},
        }
    ],
    "detect machine": [{"verb": "detect_machine", "result": "PERSON"}],
    "detect machine and beep": [{"verb": "detect_machine", "given": {"beep": True}, "result": "PERSON"}],
    "record": [
        {
            "verb": "record",
            "given": {"limit": 3, "silence": None, "beep": False},
            "result": {"completion": "LIMIT", "truncated": True},
        },
        {"verb": "play", "given": {"prompts": ["one"]}},
    ],
    "recording": [
        {
            "verb": "recording",
            "given": {"stereo": True},
            "result": {"completion": "STOPPED", "truncated": False},
        },
        {"verb": "play", "given": {"prompts": ["one", "two"]}},
    ],
    "consent": [
        {
            "verb": "consent",
            "given": {"prompts": ["one"], "accept": "1", "decline": "2"},
            "tries": [{"said": "1", "outcome": "answer"}],
            "result": True,
        }
    ],
    "bridge": [
        {
            "verb": "bridge",
            "given": {"destination": "user/agent"},
            "result": {
                "destination": "user/agent",
                "answered": True,
                "hangup_cause": "NORMAL_CLEARING",
                "duration": 30.0,
            },
        }
    ],
    "bridge several": [
        {
            "verb": "bridge",
            "given": {"destination": ["user/agent", "user/other"], "ringback": "music", "whisper": "for-you"},
            "result": {
                "destination": "user/agent",
                "answered": True,
                "hangup_cause": "NORMAL_CLEARING",
                "duration": 29.0,
                "others": ["user/other LOSE_RACE"],
            },
        }
    ],
    "bridge in order": [
        {
            "verb": "bridge",
            "given": {"destination": ["user/other", "user/agent"], "in_order": True, "caller_id": "4930"},
            "result": {
                "destination": "user/agent",
                "answered": True,
                "hangup_cause": "NORMAL_CLEARING",
                "duration": 30.0,
                "others": ["user/other NO_ANSWER"],
            },
        }
    ],
    "bridge with a key": [
        {
            "verb": "bridge",
            "given": {"destination": "user/agent", "confirm": "press-1", "confirm_timeout": 30},
            "result": {
                "destination": "user/agent",
                "answered": False,
                "hangup_cause": "NORMAL_CLEARING",
                "duration": 0.0,
            },
        }
    ],
    "transfer": [{"verb": "transfer", "given": {"extension": "sales"}, "over": "BLIND_TRANSFER"}],
    "conference": [{"verb": "conference", "given": {"name": "sales"}, "over": "NORMAL_CLEARING"}],
    "queue": [
        {
            "verb": "queue",
            "given": {"name": "support"},
            "result": {"why": "SERVED", "waited": 1.04, "talked": 30.02, "agent": "agent-1", "key": ""},
        }
    ],
    "callcenter queue": [
        {
            "verb": "queue",
            "given": {"name": "support@x", "kind": "callcenter", "timeout": 60},
            "result": {"why": "SERVED", "waited": 1.04, "talked": 30.02, "agent": "agent-1", "key": ""},
        }
    ],
    "serve queue": [{"verb": "serve_queue", "given": {"name": "nobody", "wait": False}}],
    "park": [
        {
            "verb": "park",
            "given": {"lot": "main", "timeout": 40},
            "result": {"slot": 701, "by": "", "waited": 40.04, "talked": 0.0},
        }
    ],
    "unpark": [
        {
            "verb": "unpark",
            "given": {"lot": "empty", "slot": 701},
            "result": {
                "destination": "empty/701",
                "answered": False,
                "hangup_cause": "SUBSCRIBER_ABSENT",
                "duration": 0.0,
            },
        }
    ],
    "originate": [
        {
            "verb": "originate",
            "given": {"to": "user/patient", "handler": "tests.server.kept.Kept.__init__.<locals>.Running"},
            "result": {"result": "NO_ANSWER", "hangup_cause": "NO_ANSWER"},
        }
    ],
}
