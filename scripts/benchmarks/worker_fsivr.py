"""The benchmark's call as a handler of fsivr, on its own server."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse

from collecting import collect_when_asked

from fsivr import Call, Dialplan, Extension, Handler, Say
from fsivr.config import Settings
from fsivr.server import Server


class SevenVerbs(Handler):
    """Seven verbs, one at a time; the last is the hangup that ends every call."""

    def run(self, call: Call) -> None:
        """The call."""
        call.answer()
        call.play("a")
        call.play("b")
        call.play("c")
        digits = call.ask("d", digits=4)
        assert digits == "1234", digits
        call.play(Say.number(5))


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    collect_when_asked()
    settings = Settings.defaults(listen=f"127.0.0.1:{options.port}", ports=10_000)
    server = Server(Dialplan([Extension(".*", SevenVerbs)]), settings)
    server.start()
    server.serve_forever()


main()
