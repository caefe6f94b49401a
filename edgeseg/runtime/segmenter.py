"""Run one artifact on slices: the whole path from stored bytes to a mask on the slice's own grid."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.scan import Scan
from edgeseg.errors import ImageError, OptionError
from edgeseg.imaging import Tables, check_images, given_channels, in_passes, to_network, volume_tables
from edgeseg.runtime.contract import model_format, read_contract, read_contract_file
from edgeseg.runtime.ends import check_ends, decode, encode
from edgeseg.runtime.litert_session import LitertSession
from edgeseg.runtime.open_numerics import open_with_numerics
from edgeseg.runtime.self_test_run import run_self_test
from edgeseg.runtime.session import Session
from edgeseg.runtime.stream import SliceMask, counted, looked_at, stream_masks
from edgeseg.runtime.trusted import Tally, mask_verdicts, oddity_of, on_grid, tally_for, verdict_on
from edgeseg.runtime.turned import turned, turned_back
from edgeseg.specs import OUTPUTS, Contract
from edgeseg.trust import InputTally, Oddity, Verdict

if TYPE_CHECKING:
    from edgeseg.results import SelfTest

NUMERICS = ("exact", "fast")


class Segmenter:
    """An artifact that is open; its methods may be called from several threads at once.

    Attributes:
        path: the artifact's file.
        contract: what the artifact says of itself.
        threads: how many threads the runtime may use within one slice.
        runtime: name and version of the runtime, such as `onnxruntime 1.31.1`.
        numerics: how the arithmetic is done on this host, such as `float32`; `int8, exact (...)`; `int8, near exact
            (basic graph in float)`; `int8, exact (7-bit weights, no saturation)`; `int8, fast (the host's default
            kernels)`; `int8, LiteRT XNNPACK (32-bit sums)`.
    """

    def __init__(self, path: Path, contract: Contract, session: Session, *, threads: int) -> None:
        """Join an artifact's contract with its loaded model; `Segmenter.load` is the usual way in.

        Raises:
            ContractError: when the model's tensors are not those that the contract describes.
            ArtifactError: when they are of a type that edgeseg does not write.
        """
        self.path, self.contract, self.threads = path, contract, threads
        self.runtime, self.numerics = session.runtime, session.numerics
        self._session = session
        check_ends(session, contract, path)

    @classmethod
    def load(cls, path: Path, *, threads: int = 2, numerics: str = "exact", contract: Path | None = None) -> Segmenter:
        """Open an artifact.

        Args:
            path: a `.onnx`, `.ort` or `.tflite` file with a contract.
            threads: for the runtime, at least 1.
            numerics: `exact` gives int8 results from the integer graph that ONNX Runtime takes on Arm, several times
                slower on x86, or where its kernels saturate from the nearest mode that does not; `fast` takes the
                runtime's default kernels. Float models, TFLite, the profile `x86` and ORT format, whose graph is fixed,
                are the same under both.
            contract: a JSON or TOML file with the contract of a model that carries none.

        Raises:
            ArtifactError: when the file is missing, damaged, or cannot be run.
            ContractError: when it carries no contract that this edgeseg can honour.
            MissingExtraError: for `.tflite` without ai-edge-litert.
            OptionError: for threads below 1 or an unknown `numerics`.
        """
        if threads < 1:
            raise OptionError(f"threads is {threads}; at least 1 is needed")
        if numerics not in NUMERICS:
            raise OptionError(f"numerics is '{numerics}'; choose one of: {', '.join(NUMERICS)}")
        path = Path(path)
        read = read_contract(path) if contract is None else read_contract_file(contract, path)
        if model_format(path) == ".tflite":
            return cls(path, read, LitertSession(path, threads=threads), threads=threads)
        return cls(path, read, open_with_numerics(path, read, threads, numerics), threads=threads)

    @property
    def output_scale(self) -> tuple[float, int] | None:
        """Scale and zero point of int8 logits, `logit = scale * (code - zero_point)`; None where they are no codes."""
        info = self._session.output
        if (
            self.contract.regions
            or self.logit_step is None
            or self.contract.passes != 1
            or info.dtype != "int8"
            or info.scale is None
            or info.zero_point is None
        ):
            return None
        return info.scale, info.zero_point

    @in_passes
    def logits(self, images: NDArray[np.uint8], tables: Tables | None = None) -> NDArray[np.float32]:
        """Run slices that have the contract's size, one after another, each as often as the contract says.

        Args:
            images: `(N, H, W, C) uint8`, NHWC; H, W and the order of the channels those of the contract, as
                `edgeseg.imaging.to_network` gives them.
            tables: what their bytes become, `edgeseg.imaging.volume_tables` of the volume that they are slices of; a
                contract that normalises by volume takes each slice for a volume of its own without them.

        Returns:
            `(N, H, W) float32` logits, those of probabilities where the contract says that the network gives such; of
            a contract with R regions `(N, H, W, R)`.

        Raises:
            ImageError: when the images are not such a stack.
            ArtifactError: when the runtime fails, or gives NaN or infinity.
            ContractError: when the contract says probabilities and the network gives others than from 0 to 1.
        """
        check_images(images, self.contract.channels)
        size = (self.contract.height, self.contract.width)
        if images.shape[1:3] != size:
            raise ImageError(
                f"slices of {images.shape[1]} x {images.shape[2]} were given and the artifact takes {size[0]} x "
                f"{size[1]}; resample them with edgeseg.imaging.to_network, or call segment"
            )
        logits = np.empty((*images.shape[:3], *self._regions), np.float32)
        for index in range(len(images)):
            output = self._session.infer(self.encoded(images[index : index + 1], tables))
            logits[index] = decode(output, self._session.output, self.contract, self.path)
        return logits

    def encoded(self, image: NDArray[np.uint8], tables: Tables | None = None) -> NDArray[np.generic]:
        """Give one slice, `(1, H, W, C) uint8` as `logits` takes it, in the dtype and layout of the network's input."""
        return encode(image, self._session.input, self.contract, tables)

    def scan_tables(self, scan: Scan) -> Tables | None:
        """Read a whole scan and return what its bytes become; None, and nothing is read, where no count is needed.

        Slices that are no volume are normalised one by one.

        Raises:
            DataError: when a slice cannot be read.
        """
        if not (scan.volume and self.contract.by_volume):
            return None
        scan = turned(scan, self.contract.plane)
        return volume_tables(
            (on_grid(self.contract, scan, index) for index in range(len(scan.slice_names))), self.contract
        )

    def segment(self, volume: NDArray[np.uint8] | Scan) -> NDArray[np.bool_]:
        """Segment slices of any in-plane size: an array, each slice on its own, or a whole scan as a volume.

        Args:
            volume: `(N, h, w, C) uint8`, NHWC, channels as `given_channels` of the contract; or a scan whose slices
                have one size, as `edgeseg.data.open_scan` gives it.

        Returns:
            `(N, h, w) bool`, True = tumour, on the slices' own grid, without the components that the contract drops
            from a lone slice, or from a volume where the scan is one; of a contract with R regions `(N, h, w, R)`.

        Raises:
            ImageError: when the images are not such a stack, or the scan's slices differ in size.
            DataError: when a slice of the scan cannot be read.
            ArtifactError: when the runtime fails, or gives NaN or infinity.
        """
        if isinstance(volume, np.ndarray):
            return self._masks(volume, volume=False)
        return self.segment_judged(volume)[0]

    def segment_judged(self, scan: Scan) -> tuple[NDArray[np.bool_], Verdict | None]:
        """Segment a scan as `segment` does, and say how far its mask is to be trusted.

        Returns:
            The masks; and the expected Dice, whether to look at this one and why, and between what the volume lies.
            That is None where the contract has no such numbers, and for slices that are no volume; of several masks
            it is of all together, and `mask_verdicts` tells of each.

        Raises:
            EdgeSegError: as `segment`.
        """
        tally = self.tally_for(scan)
        masks = [done.mask for done in self.segment_scan(scan, tally=tally)]
        if len({mask.shape for mask in masks}) > 1:
            raise ImageError(f"{scan.name}: its slices differ in size, so the masks are no one array; use segment_scan")
        return np.stack(masks), self.verdict(tally)

    def tally_for(self, scan: Scan) -> Tally | None:
        """Begin to count a scan's logits for `segment_scan`; None where nothing is to be told of its masks."""
        return tally_for(self.contract, scan)

    def verdict(self, tally: Tally | None) -> Verdict | None:
        """Say what the counts of a whole scan mean; None where nothing was counted."""
        return verdict_on(self.contract, tally)

    def mask_verdicts(self, tally: Tally | None) -> tuple[Verdict | None, ...]:
        """Say the same of each mask, in the order of `Contract.masks`."""
        return mask_verdicts(self.contract, tally)

    def oddity(self, scan: Scan, seen: InputTally | None = None) -> Oddity | None:
        """Say what is odd about a scan, as `edgeseg.runtime.trusted.oddity_of` does."""
        return oddity_of(self.contract, scan, seen)

    def segment_scan(
        self,
        scan: Scan,
        *,
        spool_dir: Path | None = None,
        tables: Tables | None = None,
        tally: Tally | None = None,
        seen: InputTally | None = None,
    ) -> Iterator[SliceMask]:
        """Segment a scan slice by slice, in memory that does not grow with their number.

        Where the contract normalises by volume, all slices are read once before, to count their grey values. Where its
        plane is not axial, all of a volume are read into a temporary file first, and the masks come back as axial ones.

        Args:
            scan: what `edgeseg.data.open_scan` gives, or anything with the members of `edgeseg.data.scan.Scan`.
            spool_dir: where a temporary file may go when the contract drops components of volumes.
            tables: `scan_tables` of this scan, where the caller has them.
            tally: counts the logits on the way; `tally_for` of this scan.
            seen: counts what the network is given, of some slices; new, with the contract's number of channels.

        Yields:
            One mask per slice, in order, each `(h, w) bool` on the slice's own grid.

        Raises:
            DataError: when a slice cannot be read, or a volume not be seen in the network's plane.
            ArtifactError: when the runtime fails, or gives NaN or infinity.
            OutputError: when a temporary file cannot be written.
        """
        tables, given = self.scan_tables(scan) if tables is None else tables, scan
        scan = turned(given, self.contract.plane)
        infer = looked_at(counted(partial(self.logits, tables=tables), tally), seen, len(scan.slice_names))
        images = (scan.image(index) for index in range(len(scan.slice_names)))
        masks = stream_masks(
            infer,
            self.contract,
            images,
            volume=scan.volume,
            channels=scan.channels,
            pixel_mm=scan.pixel_mm,
            spool_dir=spool_dir,
        )
        return masks if scan is given else turned_back(masks, len(scan.slice_names), self.contract.plane, scan.name)

    def segment_volume(self, images: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Segment the slices of one volume: as `segment`, but components are those of the volume.

        Args:
            images: `(N, h, w, C) uint8`, NHWC, channels as `given_channels` of the contract; all slices, in anatomical
                order.

        Returns:
            `(N, h, w) bool`, True = tumour, on the slices' own grid, without the components that the contract drops
            from a volume.

        Raises:
            ImageError: when the images are not such a stack.
            ArtifactError: when the runtime fails, or gives NaN or infinity.
        """
        return self._masks(images, volume=True)

    @property
    def logit_step(self) -> float | None:
        """What one code of an integer output is worth, in logits; None for other outputs."""
        contract = self.contract
        plain = contract.output == OUTPUTS[0] and (
            not contract.classes or (contract.regions and not contract.exclusive)
        )
        return self._session.output.scale if plain else None

    def self_test(self) -> SelfTest:
        """Run the contract's golden case and count what differs: whether this device draws what it should.

        Raises:
            ContractError: when the contract carries no golden case, or a damaged one.
            ArtifactError: when the runtime fails, or gives NaN or infinity.
        """
        return run_self_test(self)

    @property
    def _regions(self) -> tuple[int, ...]:
        """The axis that several masks have last: their number, or nothing."""
        return (len(self.contract.regions),) if self.contract.regions else ()

    def _masks(self, images: NDArray[np.uint8], *, volume: bool) -> NDArray[np.bool_]:
        check_images(images, given_channels(self.contract))
        masks = np.empty((*images.shape[:3], *self._regions), np.bool_)
        slices = (to_network(image[np.newaxis], self.contract) for image in images)
        infer = partial(self.logits, tables=volume_tables(slices, self.contract) if volume else None)
        for index, done in enumerate(stream_masks(infer, self.contract, images, volume=volume)):
            masks[index] = done.mask
        return masks
