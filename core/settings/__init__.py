"""Every setting of the service. What each must be stands in the modules beside `settings.py`."""

from core.settings.settings import DEMO_DOMAIN, Settings

__all__ = ["DEMO_DOMAIN", "Settings"]
