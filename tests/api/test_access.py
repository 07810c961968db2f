"""Who may do what: keys, roles, rates, and those who connect from this machine."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from flask_smorest import Blueprint

from fsivr.api.access import TRUSTED, WRONG_BURST, holder, needs
from fsivr.store import Role, Store
from tests.api.conftest import Client, Clock

doors = Blueprint("doors", __name__, url_prefix="/doors", description="Doors of the tests")


@doors.route("/read")
@needs(Role.READ)
@doors.response(200)
def read() -> dict[str, str]:
    """Read."""
    return {"who": holder().name}


@doors.route("/operate", methods=["POST"])
@needs(Role.OPERATE)
@doors.response(200)
def operate() -> dict[str, str]:
    """Operate."""
    return {"who": holder().name}


@doors.route("/admin", methods=["DELETE"])
@needs(Role.ADMIN)
@doors.response(200)
def administer() -> dict[str, str]:
    """Administer."""
    return {"who": holder().name}


@pytest.fixture
def doors_of(make: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr("fsivr.api.app.BLUEPRINTS", (doors,))
    return make


def tried(client: FlaskClient) -> list[int]:
    """What reading, operating and administering is answered with."""
    ways = (("GET", "/doors/read"), ("POST", "/doors/operate"), ("DELETE", "/doors/admin"))
    return [client.open(path, method=method).status_code for method, path in ways]


@pytest.mark.parametrize(
    ("role", "answers"),
    [("", [401, 401, 401]), ("read", [200, 403, 403]), ("operate", [200, 200, 403]), ("admin", [200, 200, 200])],
)
def test_each_role_includes_those_before_it(doors_of: Client, role: str, answers: list[int]) -> None:
    assert tried(doors_of(role)) == answers


def test_what_is_missing_is_told(doors_of: Client) -> None:
    answer = doors_of().get("/doors/read")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="fsivr"'
    answer = doors_of("read").post("/doors/operate")
    assert answer.json["error"]["details"] == {"role": "operate"}
    assert "operate" in answer.json["error"]["message"]


def test_the_document_tells_the_role(doors_of: Client) -> None:
    document = doors_of().get("/api/openapi.json").json
    operation = document["paths"]["/doors/operate"]["post"]
    assert operation["security"] == [{"key": []}]
    assert operation["x-role"] == "operate"
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer x y",
        "Token KEY",
        "KEY",
        "Bearer KEY0",
        "Bearer \xff",
        "Bearer " + "x" * 5000,
    ],
)
def test_what_is_no_key(doors_of: Client, store: Store, header: str) -> None:
    key = store.keys.create("a", "admin", by="tests")
    answer = doors_of().get("/doors/read", headers={"Authorization": header.replace("KEY", key)})
    assert answer.status_code == 401
    assert key not in answer.text


def test_a_revoked_key_is_refused_within_the_seconds_that_are_documented(
    doors_of: Client, store: Store, clock: Clock
) -> None:
    client = doors_of("read")
    assert client.get("/doors/read").status_code == 200
    (key,) = store.keys.all()
    store.keys.revoke(key.name, by="tests")
    clock.pass_by(TRUSTED)
    assert client.get("/doors/read").status_code == 401


def test_a_key_that_was_proved_costs_no_read_of_the_database(
    doors_of: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = doors_of("read")
    asked: list[str] = []
    verify = store.keys.verify
    monkeypatch.setattr(store.keys, "verify", lambda key: asked.append(key) or verify(key))
    assert {client.get("/doors/read").status_code for _ in range(10)} == {200}
    assert len(asked) == 1


def test_a_key_makes_so_many_requests_a_second(doors_of: Client, clock: Clock) -> None:
    client, other = doors_of("read", api_rate=2), doors_of("read", api_rate=2)
    assert [client.get("/doors/read").status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    answer = client.get("/doors/read")
    assert (answer.json["error"]["code"], answer.headers["Retry-After"]) == ("too_many_requests", "1")
    assert other.get("/doors/read").status_code == 200
    clock.pass_by(0.5)
    assert [client.get("/doors/read").status_code for _ in range(2)] == [200, 429]


def test_wrong_keys_are_slowed_down_and_right_ones_are_not(doors_of: Client, store: Store, clock: Clock) -> None:
    client = doors_of("read")
    assert client.get("/doors/read").status_code == 200
    wrong = {"headers": {"Authorization": "Bearer fsivr_wrong"}}
    tries = [client.get("/doors/read", **wrong).status_code for _ in range(int(WRONG_BURST) + 2)]
    assert tries == [401] * int(WRONG_BURST) + [429] * 2
    assert client.get("/doors/read").status_code == 200
    other = {**wrong, "environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}
    assert client.get("/doors/read", **other).status_code == 401
    clock.pass_by(1)
    assert client.get("/doors/read", **wrong).status_code == 401


def test_an_address_of_ipv6_is_its_network(doors_of: Client) -> None:
    client = doors_of()
    wrong = {"Authorization": "Bearer fsivr_wrong"}
    seen = [
        client.get("/doors/read", headers=wrong, environ_overrides={"REMOTE_ADDR": f"2001:db8::{number:x}"}).status_code
        for number in range(12)
    ]
    assert seen[-2:] == [429, 429]


OPEN = {"api_open_on_loopback": True}


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080"])
def test_who_connects_from_this_machine_may_do_all_where_that_is_set(doors_of: Client, peer: str, host: str) -> None:
    client = doors_of(**OPEN)
    client.environ_base.update({"REMOTE_ADDR": peer, "HTTP_HOST": host})
    assert tried(client) == [200, 200, 200]
    assert client.get("/doors/read").json == {"who": "loopback"}


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.0.0.1", "0.0.0.0", "::", "fe80::1%eth0", "::ffff:192.0.2.7", ""])
def test_nobody_else_may(doors_of: Client, peer: str) -> None:
    client = doors_of(**OPEN)
    client.environ_base["REMOTE_ADDR"] = peer
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        assert client.get("/doors/read", headers={header: "127.0.0.1"}).status_code == 401


def test_loopback_is_not_open_by_default(doors_of: Client) -> None:
    assert tried(doors_of()) == [401, 401, 401]


def test_a_wrong_key_is_wrong_on_loopback_too(doors_of: Client) -> None:
    client = doors_of(**OPEN)
    assert client.get("/doors/read", headers={"Authorization": "Bearer fsivr_wrong"}).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8080"},
        {"Host": "localhost.evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "user@evil.example"},
        {"Host": "localhost@evil.example"},
        {"Host": ""},
        {"Host": "[::1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Origin": "https://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_does_not_get_in_through_a_browser_here(
    doors_of: Client, headers: dict[str, str]
) -> None:
    client = doors_of("admin", **OPEN)
    with_key = client.get("/doors/read", headers=headers)
    del client.environ_base["HTTP_AUTHORIZATION"]
    without = client.get("/doors/read", headers=headers)
    assert (without.status_code, without.json["error"]["code"]) == (403, "other_site")
    assert with_key.status_code == 200


def test_a_page_of_this_site_gets_in(doors_of: Client) -> None:
    headers = {"Host": "localhost:8080", "Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin"}
    assert doors_of(**OPEN).get("/doors/read", headers=headers).status_code == 200
