"""Whom weights learned from, where their header holds pseudonyms: by id again, as far as this site's keys tell."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from edgeseg.checkpoint import Checkpoint
from edgeseg.place import keys_for, missing_keys
from edgeseg.specs import named

_LOG = logging.getLogger(__name__)


def name_patients(checkpoint: Checkpoint, patients: Iterable[str]) -> Checkpoint:
    """Return weights whose header calls those of `patients` by their ids who stand in it by pseudonyms.

    Others keep their pseudonyms, and the lists are sorted. Where the key of some is not here, nobody can tell whether
    they are among `patients`, and a warning is logged that says so. Weights whose header holds ids come back as they
    are.

    Raises:
        OptionError: when the site's patient key is damaged, or open to others.
    """
    header = checkpoint.header
    names = (*header.train_patients, *header.validation_patients)
    keys, given = keys_for(names), tuple(patients)
    if (missing := missing_keys(names)) is not None:
        _LOG.warning("cannot tell whether %s learned from patients given here: %s", checkpoint.path, missing)
    if not keys:
        return checkpoint
    told = replace(
        header,
        train_patients=tuple(sorted(named(header.train_patients, given, keys))),
        validation_patients=tuple(sorted(named(header.validation_patients, given, keys))),
    )
    return replace(checkpoint, header=told)
