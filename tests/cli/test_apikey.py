"""``fsivr apikey``."""

from __future__ import annotations

import re

import pytest

from fsivr.cli.archives import operator
from fsivr.store import Store


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_key_is_printed_once_and_alone(fsivr, tmp_path) -> None:
    ran = fsivr("apikey", "create", "ann", "--role", "operate")
    assert ran.code == 0
    assert re.fullmatch(r"fsivr_[0-9a-f]{12}_[0-9a-f]{64}\n", ran.out)
    assert ran.err == "The key of ann, role operate. It is shown this once: only a hash of it is kept.\n"
    store = Store("sqlite:///fsivr.db")
    holder = store.keys.verify(ran.out.strip())
    assert holder is not None
    assert (holder.name, holder.role.name) == ("ann", "OPERATE")
    assert [(row.who, row.action) for row in store.audit().items] == [(operator(), "apikey.create")]
    store.close()
    assert ran.out.strip() not in fsivr("apikey", "list").out
    secret = ran.out.strip().encode()
    assert not [path for path in tmp_path.iterdir() if secret in path.read_bytes()]


def test_keys_are_listed_and_revoked(fsivr) -> None:
    assert fsivr("apikey", "create", "ann", "--role", "read").code == 0
    key = fsivr("apikey", "create", "bob the builder", "--role", "admin").out.strip()
    head, *lines = fsivr("apikey", "list").out.splitlines()
    assert head.split() == ["Name", "Role", "Created", "By", "Revoked"]
    assert [re.split(r" {2,}", line)[:2] for line in lines] == [["ann", "read"], ["bob the builder", "admin"]]
    assert fsivr("apikey", "revoke", "bob the builder").out == "the key of bob the builder is revoked\n"
    store = Store("sqlite:///fsivr.db")
    assert store.keys.verify(key) is None
    store.close()
    again = fsivr("apikey", "revoke", "bob the builder")
    assert (again.code, again.err) == (1, "fsivr: there is no key named 'bob the builder' that is in force\n")
    assert [len(re.split(r" {2,}", line)) for line in fsivr("apikey", "list").out.splitlines()[1:]] == [4, 5]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "ann"), "Missing option '--role'"),
        (("create", "ann", "--role", "root"), "'root' is not one of"),
        (("create", "an/n", "--role", "read"), "a key's name has up to 64 letters"),
        (("list",), "there is no database fsivr.db"),
        (("revoke", "ann"), "there is no database fsivr.db"),
    ],
)
def test_what_is_asked_for_wrongly(fsivr, arguments, said: str) -> None:
    ran = fsivr("apikey", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_no_two_have_the_same_name(fsivr) -> None:
    assert fsivr("apikey", "create", "ann", "--role", "read").code == 0
    ran = fsivr("apikey", "create", "ann", "--role", "read")
    assert (ran.code, ran.out) == (2, "")
    assert "there is a key named 'ann' already" in ran.err


def test_no_key_is_told(fsivr) -> None:
    fsivr("recordings", "reindex")
    assert fsivr("apikey", "list").out == "no keys\n"
