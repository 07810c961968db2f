"""The event socket: bytes and greenlets, no telephony decisions."""
