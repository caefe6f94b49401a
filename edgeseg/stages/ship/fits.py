"""What an app or a page that reads three fixed sequences can run."""

from __future__ import annotations

from edgeseg.errors import ContractError
from edgeseg.specs import AXIAL, LGG, Contract, refuse_regions


def require_fit(contract: Contract, where: str) -> None:
    """Refuse a network of several masks, or of channels that the device's reader does not know.

    Args:
        contract: of the network.
        where: what it would be put into, such as `the app`.

    Raises:
        ContractError: naming what does not fit.
    """
    refuse_regions(contract, f"put into {where}")
    if contract.plane != AXIAL:
        raise ContractError(
            f"the network takes {contract.plane} slices of a volume, and {where} reads slices as they are; run "
            "it with: edgeseg run"
        )
    if sorted(contract.channels) != sorted(LGG.names):
        raise ContractError(
            f"the network takes {', '.join(contract.channels)}, and {where} reads {', '.join(LGG.names)}; run it with: "
            "edgeseg run"
        )
