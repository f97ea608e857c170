"""No clock decides over these tests: a busy machine must not fail one by hypothesis's deadline."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("without a clock", deadline=None)
settings.load_profile("without a clock")
