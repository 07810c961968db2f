"""What all tests share: how hypothesis searches."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A loaded machine is slow, and that is no failure; what is checked for a change is the
# same for everyone who checks it, while at a developer's each run looks elsewhere.
settings.register_profile("fsivr", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("fsivr"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "fsivr")
