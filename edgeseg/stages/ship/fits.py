"""What the web page and the tablet app can run, and what golden vectors in pictures can be made of."""

from __future__ import annotations

from edgeseg.errors import ContractError
from edgeseg.specs import AXIAL, LGG, Contract, refuse_regions

MAX_CHANNELS = 8
"""Of a network that app and page take."""


def require_fit(contract: Contract, where: str) -> None:
    """Refuse a network that the app or the page could not feed; channels and masks may be any that a contract names.

    Args:
        contract: of the network.
        where: what it would be put into, such as `the app`.

    Raises:
        ContractError: naming what does not fit.
    """
    if contract.plane != AXIAL:
        raise ContractError(
            f"the network takes {contract.plane} slices of a volume, and {where} gives it axial ones; run it with: "
            "edgeseg run"
        )
    if len(contract.channels) > MAX_CHANNELS:
        raise ContractError(
            f"the network takes {len(contract.channels)} channels, and {where} reads at most {MAX_CHANNELS}; run it "
            "with: edgeseg run"
        )


def require_pictures(contract: Contract) -> None:
    """Refuse a network of several masks, or of other channels than a phantom's picture has.

    Raises:
        ContractError: naming what does not fit.
    """
    refuse_regions(contract, "put into a golden vector")
    if sorted(contract.channels) != sorted(LGG.names):
        raise ContractError(
            f"the network takes {', '.join(contract.channels)}, and a golden vector's pictures hold "
            f"{', '.join(LGG.names)}; give a network of these"
        )
