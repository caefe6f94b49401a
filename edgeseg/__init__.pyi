# The types of what edgeseg/__init__.py imports when it is first used.
from edgeseg.api import build as build
from edgeseg.api import import_network as import_network
from edgeseg.api import load as load
from edgeseg.data.open_scan import open_scan as open_scan

__version__: str
__all__ = ["__version__", "build", "import_network", "load", "open_scan"]
