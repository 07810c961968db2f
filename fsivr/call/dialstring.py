"""The dial string of a bridge: an endpoint, and nothing the switch would read into it."""

from __future__ import annotations

import re

# In a dial string `,` `|` `:_:` separate endpoints, `{}` `[]` `<>` hold variables,
# `${}` is expanded and `^^` names a separator (switch_ivr_originate.c): a
# destination made of a caller's text must not reach any of them. Nor `;name=value`,
# by which `;fs_path=` sends a call through another proxy (mod_sofia.c).
_ENDPOINT = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_.+*#@:~-]+)+")


def checked_destination(destination: str) -> str:
    """The destination, if it is one endpoint.

    :raises ValueError: it is not of the form ``endpoint/address``, or holds other
        characters than letters, digits and ``/ _ . + * # @ : ~ -``.
    """
    if not _ENDPOINT.fullmatch(destination) or ":_:" in destination:
        raise ValueError(
            "a destination is one endpoint as 'user/agent', of letters, digits and / _ . + * # @ : ~ -, "
            f"not {destination[:80]!r}"
        )
    return destination
