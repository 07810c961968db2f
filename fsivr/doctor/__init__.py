"""Doctor: whether this machine, its switch and its targets are as the applications need them."""
