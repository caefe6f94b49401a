"""Putting trained weights where an installed edgeseg finds them, with a card that says what they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from edgeseg import artifacts
from edgeseg.checkpoint import Checkpoint, CheckpointHeader, checkpoint_bytes, read_checkpoint
from edgeseg.data.volume import PHANTOM
from edgeseg.errors import CheckpointError, DataError, OptionError
from edgeseg.jsonio import to_record
from edgeseg.networks import CARD_FILE, MODELS, RECORD_FILE, WEIGHTS_FILE
from edgeseg.place import KEY_VARIABLE, claimed, key_for, key_place
from edgeseg.regular import stands
from edgeseg.results import (
    REFERENCE,
    ArtifactRow,
    BuildResult,
    Choice,
    EpochRecord,
    EvalResult,
    NetworkRecord,
    TrustResult,
)
from edgeseg.specs import MaskRegion, PatientKey, own_regions
from edgeseg.stages.calibrate import RANGES_FILE, RecordedRanges, ranges_beside
from edgeseg.stages.choose import CHOICE_FILE
from edgeseg.stages.predict import plain_point
from edgeseg.stages.ship.built import built_files
from edgeseg.stages.ship.card import ModelCard
from edgeseg.stages.ship.curve import learning_curve
from edgeseg.stages.ship.folder import put
from edgeseg.stages.ship.identity import Naming, check_build, held_out, name_for, out_of_fold, purpose_for
from edgeseg.stages.ship.point import check_point, choice_to_ship, trust_to_ship
from edgeseg.stages.ship.pseudonyms import (
    hide_in_choice,
    hide_in_header,
    hide_in_ranges,
    hide_in_scores,
    hide_in_trust,
    named_in,
)
from edgeseg.stages.ship.retrain import train_command
from edgeseg.stages.ship.terms import Terms, terms_for
from edgeseg.stages.train import HISTORY, read_history
from edgeseg.stages.trust import TRUST_FILE

CURVE_FILE = "learning-curve.png"


def ship(
    run: Path,
    build: BuildResult,
    *,
    into: Path | None = None,
    naming: Naming | None = None,
    choice: Path | None = None,
    public_ids: bool = False,
    files_from: Path | None = None,
    allow_failed: bool = False,
    allow_phantoms: bool = False,
    terms: Terms | None = None,
) -> Path:
    """Copy a run's weights to `<into>/<name>/`, with its name, card and learning curve, and the choice where one is.

    What was imported has no learning curve, and brings the file that it came as.

    The converted files of the build that ship (`SHIPPED_TARGETS`) go there too, so that every command takes the name.

    Patients stand in all of these as pseudonyms under the site's patient key, unless their ids are public. Weights with
    pseudonyms are another file than the run's, with the same arrays; card and ranges name its SHA-256.

    Args:
        run: folder of a training run.
        build: a build of the same weights on real patients that training did not see.
        into: the folder of all shipped weights; where every command looks (`artifacts.own_home`) unless given.
        naming: the name, what it is for, and whether it may take another's place.
        choice: a file of `edgeseg choose`, that in the run's folder unless given; builds from the shipped weights take
            threshold and post-processing from it.
        public_ids: the ids of all patients are public, so they may stand there.
        files_from: the folder of the build, whose converted files are taken; none are unless given.
        allow_failed: take a build in which a check failed; `network.json` says which.
        allow_phantoms: take a build that was scored on phantoms alone; `network.json` says so.
        terms: licence and attribution for the card; what is known of the data unless given.

    Returns:
        The network's folder.

    Raises:
        CheckpointError: when the run is damaged, or the build was made from other weights.
        DataError: when the build rests on phantoms or on patients that training saw.
        CheckFailedError: when a check of the build failed.
        ArtifactError: when a converted file of the build is missing or altered, or the scores out of fold are damaged.
        OptionError: when the name is taken or cannot be one; when the choice cannot be read, was made for another
            variant, or is not that of the build; when what tells of trust was made for other weights; when the site's
            patient key is damaged, or lies in `into`.
        OutputError: when the folder cannot be written, or another run writes there.
    """
    checkpoint = read_checkpoint(run)
    sha256 = artifacts.sha256_bytes(content := checkpoint.path.read_bytes())
    if build.weights_sha256 != sha256:
        raise CheckpointError(
            f"the build was made from weights {build.weights_sha256[:12]}, the run holds {sha256[:12]}; "
            f"build again with --from {run}"
        )
    into, naming = into or artifacts.own_home() / MODELS, naming or Naming()
    row = next(a for a in build.artifacts if a.target == REFERENCE)
    evaluation = _evaluation(row, build, allow_phantoms=allow_phantoms)
    failed = check_build(build, allow_failed=allow_failed)
    made, drawn = choice_to_ship(choice, run, checkpoint.header.variant.slug, evaluation), _regions(checkpoint.header)
    point = plain_point(checkpoint.header) if made is None else made.chosen
    check_point(evaluation, point, drawn)
    known = terms_for(checkpoint.header, terms or Terms())
    card = _card(checkpoint.header, sha256, row, evaluation, made, _history(run, checkpoint.header), known)
    files = None if files_from is None else built_files(build, files_from)
    ranges = ranges_beside(checkpoint.path)
    trust = trust_to_ship(run, checkpoint, sha256, point, asked=choice is not None)
    shipped = _Shipped(content=content, card=card, choice=made, ranges=ranges, trust=trust)
    if not public_ids and (key := key_for(shipped.patients)) is not None:
        _check_key_place(into)
        shipped = shipped.hidden(key, checkpoint)
    name = name_for(naming, checkpoint.header, into, shipped.card.weights_sha256)
    record = replace(_record(shipped.card, naming, name), failed=failed)
    artifacts.refuse_links(into, (name,))
    with claimed(into / name):
        own, imported = _parts(shipped, record), checkpoint.header.foreign is not None
        digest, original = record.weights_sha256, checkpoint if imported else None
        put(into / name, own, built=files, weights_sha256=digest, original=original)
    return into / name


def _card(
    header: CheckpointHeader,
    sha256: str,
    row: ArtifactRow,
    evaluation: EvalResult,
    choice: Choice | None,
    history: tuple[EpochRecord, ...],
    terms: Terms,
) -> ModelCard:
    return ModelCard(
        variant=header.variant.slug,
        weights_sha256=sha256,
        parameters=row.parameters,
        macs=row.macs,
        header=header,
        command=train_command(header),
        evaluation=evaluation,
        out_of_fold=None if choice is None else choice.step(choice.shipped_step),
        history=history,
        licence=terms.licence or None,
        attribution=terms.attribution,
    )


def _record(card: ModelCard, naming: Naming, name: str) -> NetworkRecord:
    return NetworkRecord(
        name=name,
        slug=card.variant,
        purpose=purpose_for(naming, name),
        spec=card.header.variant,
        image=card.header.image,
        parameters=card.parameters,
        macs=card.macs,
        weights_sha256=card.weights_sha256,
        held_out=held_out(card.evaluation),
        out_of_fold=out_of_fold(naming, card.variant),
        for_comparison=naming.for_comparison,
        rests_on_phantoms=PHANTOM in (card.evaluation.data, card.header.data),
    )


def _evaluation(row: ArtifactRow, build: BuildResult, *, allow_phantoms: bool) -> EvalResult:
    """Return the scores for the card, and refuse those that say nothing about people who were not learned from."""
    found, phantoms = row.evaluation, build.data == PHANTOM and not allow_phantoms
    if found is None or found.seen_patients or found.seen_unknown or phantoms:
        way = ". To ship it for a rehearsal all the same: --allow-phantoms" if phantoms else ""
        raise DataError(
            "a card needs the scores of real patients that training did not see; "
            f"build with --data DIR on such patients, without --allow-seen{way}"
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shipped:
    """What goes into the folder; `content` is the weights file."""

    content: bytes
    card: ModelCard
    choice: Choice | None
    ranges: RecordedRanges | None
    trust: TrustResult | None

    @property
    def patients(self) -> set[str]:
        """Whom any of it names."""
        chosen = () if self.choice is None else self.choice.patients
        rated = () if self.trust is None else self.trust.everybody
        scored = (score.patient for score in self.card.evaluation.patients)
        return {*named_in(self.card.header), *scored, *chosen, *rated}

    def hidden(self, key: PatientKey, run: Checkpoint) -> _Shipped:
        """Put pseudonyms in place of ids that are not public."""
        header = hide_in_header(run.header, key)
        content = checkpoint_bytes(header, run.arrays)
        sha256 = artifacts.sha256_bytes(content)
        choice = None if self.choice is None else hide_in_choice(self.choice, key)
        card = replace(
            self.card,
            weights_sha256=sha256,
            header=header,
            evaluation=hide_in_scores(self.card.evaluation, key),
            out_of_fold=None if choice is None else choice.step(choice.shipped_step),
        )
        learned = run.header.train_patients
        ranges = None if self.ranges is None else hide_in_ranges(self.ranges, learned, key, sha256)
        trust = None if self.trust is None else hide_in_trust(self.trust, key, sha256)
        return _Shipped(content=content, card=card, choice=choice, ranges=ranges, trust=trust)


def _check_key_place(into: Path) -> None:
    """Refuse to ship into a folder that holds the key."""
    if (place := key_place().resolve()).is_relative_to(into.resolve()):
        raise OptionError(
            f"the patient key {place} lies in {into}, and whoever gets that folder could turn pseudonyms back; move "
            f"the key elsewhere and name it with {KEY_VARIABLE}"
        )


def _parts(shipped: _Shipped, record: NetworkRecord) -> dict[str, bytes | None]:
    """What a network's folder holds beside its converted files, by name; None for what this one does not have."""
    history = shipped.card.history
    return {
        WEIGHTS_FILE: shipped.content,
        CURVE_FILE: learning_curve(history, title=record.name) if history else None,
        RANGES_FILE: _text(shipped.ranges),
        CHOICE_FILE: _text(shipped.choice),
        TRUST_FILE: _text(shipped.trust),
        CARD_FILE: to_record(shipped.card.by_itself).encode(),
        RECORD_FILE: to_record(record).encode(),
    }


def _text(made: RecordedRanges | Choice | TrustResult | None) -> bytes | None:
    return None if made is None else to_record(made).encode()


def _regions(header: CheckpointHeader) -> tuple[MaskRegion, ...]:
    """The masks of a network as they are before any choice; none where it draws one."""
    return own_regions(header.image.classes) if header.foreign is None else header.foreign.contract.regions


def _history(run: Path, header: CheckpointHeader) -> tuple[EpochRecord, ...]:
    """Read the learning curve; what was imported as it is has none."""
    folder = run if run.is_dir() else run.parent
    if header.foreign is not None and not any(stands(folder / name) for name in (HISTORY, CARD_FILE)):
        return ()
    try:
        return read_history(folder).epochs
    except CheckpointError as error:
        raise CheckpointError(f"{error}, or ship a whole run folder") from error
