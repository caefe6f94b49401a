"""THE pre- and post-processing: from slices as they are stored to what a network takes, and from logits to masks.

Pure functions over arrays (NumPy, and Pillow for resampling); nothing here opens a file. The same steps, in the same
order, are what a device has to do:

1. put the channels in the contract's order and resample each to its size (bilinear, with antialiasing when it
   shrinks), rounded to uint8; then `stretch` each, where the contract says so;
2. replace each byte by its number in the channel's table (`tables`): a byte times `contract.scale`, or what else the
   contract's normalisation makes of it; or, for an integer artifact, by that number's code;
3. run the network; dequantise its output where it is an integer; take the logits of probabilities (`as_logits`);
4. where the contract asks for it, put the logits of small components below the threshold (`edgeseg.components`);
5. resample the logits back to the slice's own size (bilinear), and only then threshold them.

Where the distances between pixels are known, a black margin at the right and below comes before step 1, so that a
network's pixel is as high as it is wide, and step 5 cuts it off again (`framed_size`).

Step 5 takes the logits back and not the mask, because a boundary between two pixels of the network's grid then falls
where the logits cross the threshold. On 120 reference outlines of the Kaggle LGG set, drawn as noisy logits on grids of
64, 96, 128 and 160 pixels and brought back to 256, that gave a Dice of 0.924, 0.938, 0.943 and 0.949, against 0.903,
0.925, 0.936 and 0.941 for the mask by nearest neighbour.
"""

from __future__ import annotations

from edgeseg.imaging.codes import dequantise, quantise, quantise_images
from edgeseg.imaging.grid import (
    ASPECT_TOLERANCE,
    check_images,
    framed,
    framed_size,
    given_channels,
    stretch,
    to_layout,
    to_network,
    to_size,
)
from edgeseg.imaging.intensity import (
    Tables,
    histograms,
    is_fixed,
    known_range,
    network_input,
    normalise,
    prepared,
    tables,
    volume_tables,
)
from edgeseg.imaging.logits import (
    as_logits,
    framed_mask,
    logits_to_size,
    mask_from_logits,
    mask_on_grid,
    one_logit,
    region_logits,
)
from edgeseg.imaging.mirrored import in_passes
from edgeseg.imaging.plane import axial_spacing, from_plane, plane_spacing, to_plane

__all__ = [
    "ASPECT_TOLERANCE",
    "Tables",
    "as_logits",
    "axial_spacing",
    "check_images",
    "dequantise",
    "framed",
    "framed_mask",
    "framed_size",
    "from_plane",
    "given_channels",
    "histograms",
    "in_passes",
    "is_fixed",
    "known_range",
    "logits_to_size",
    "mask_from_logits",
    "mask_on_grid",
    "network_input",
    "normalise",
    "one_logit",
    "plane_spacing",
    "prepared",
    "quantise",
    "quantise_images",
    "region_logits",
    "stretch",
    "tables",
    "to_layout",
    "to_network",
    "to_plane",
    "to_size",
    "volume_tables",
]
