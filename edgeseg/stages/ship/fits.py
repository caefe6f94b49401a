"""What the web page can run, and what an app that reads three fixed sequences can."""

from __future__ import annotations

from edgeseg.errors import ContractError
from edgeseg.specs import AXIAL, LGG, Contract, refuse_regions

MAX_CHANNELS = 8
"""Of a network that the page takes."""


def require_page(contract: Contract) -> None:
    """Refuse a network that the web page cannot run, which takes channels and masks as the contract names them.

    Raises:
        ContractError: naming what does not fit.
    """
    require_axial(contract, "the page")
    if len(contract.channels) > MAX_CHANNELS:
        raise ContractError(
            f"the network takes {len(contract.channels)} channels, and the page takes 1 to {MAX_CHANNELS}; run it "
            "with: edgeseg run"
        )


def require_axial(contract: Contract, where: str) -> None:
    """Refuse a network that takes slices through another axis, for what reads slices as they are.

    Raises:
        ContractError: naming its plane.
    """
    if contract.plane != AXIAL:
        raise ContractError(
            f"the network takes {contract.plane} slices of a volume, and {where} reads slices as they are; run "
            "it with: edgeseg run"
        )


def require_fit(contract: Contract, where: str) -> None:
    """Refuse a network of several masks, or of channels that the device's reader does not know.

    Args:
        contract: of the network.
        where: what it would be put into, such as `the app`.

    Raises:
        ContractError: naming what does not fit.
    """
    refuse_regions(contract, f"put into {where}")
    require_axial(contract, where)
    if sorted(contract.channels) != sorted(LGG.names):
        raise ContractError(
            f"the network takes {', '.join(contract.channels)}, and {where} reads {', '.join(LGG.names)}; run it with: "
            "edgeseg run"
        )
