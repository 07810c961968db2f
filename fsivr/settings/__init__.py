"""The settings: what there is to set, and the checks of what was set."""

from fsivr.allowed import parse_address
from fsivr.settings.setting import PREFIX, Setting
from fsivr.settings.table import HIDDEN, SETTINGS, Settings, validated

__all__ = ["HIDDEN", "PREFIX", "SETTINGS", "Setting", "Settings", "parse_address", "validated"]
