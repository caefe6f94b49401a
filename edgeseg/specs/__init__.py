"""Frozen inputs: what a caller decides. No arrays, no I/O; each validates itself when it is made."""

from __future__ import annotations

from edgeseg.specs.app import APP_SCHEMA_VERSION, AppCase, AppFile, AppManifest
from edgeseg.specs.build import BuildSpec
from edgeseg.specs.channels import CHANNELS, LGG, ChannelSet, channel_set
from edgeseg.specs.contract import (
    CONTRACT_SCHEMA_VERSION,
    INTENDED_USE,
    NEWEST_CONTRACT_SCHEMA_VERSION,
    OTHERS_CONTRACT_SCHEMA_VERSION,
    OUTPUTS,
    PROFILES,
    Contract,
)
from edgeseg.specs.contract_toml import contract_toml
from edgeseg.specs.experiments import BASE, ExperimentRow, Plan, Question, Scoring
from edgeseg.specs.flips import FLIPS, check_flips
from edgeseg.specs.golden_case import GoldenCase, GoldenDrawing, GoldenLogit
from edgeseg.specs.input_look import INPUT_SIGNS, InputLook, InputSign
from edgeseg.specs.labels import MAX_LABEL, Region, check_regions, parse_labels
from edgeseg.specs.network import ImageSpec, VariantSpec
from edgeseg.specs.node import Destination, NodeOptions, Peer, Tls
from edgeseg.specs.normalisation import Intensity
from edgeseg.specs.operating_point import ClassPoint, OperatingPoint
from edgeseg.specs.passes import PASS_FLIPS, PASSES, check_passes
from edgeseg.specs.plane import AXIAL, PLANES, check_plane
from edgeseg.specs.post_processing import PostProcessing
from edgeseg.specs.recipes import (
    HALF,
    MAIN_OPTIONS,
    RECIPE_SPECS,
    Chain,
    ChannelPrune,
    Cluster,
    Distil,
    Equalize,
    FineTune,
    Half,
    Prune,
    Qat,
    RecipeSpec,
    options_of,
    recipe_name,
)
from edgeseg.specs.region import (
    COLOURS,
    MaskRegion,
    colours,
    own_regions,
    refuse_classes,
    refuse_regions,
    without_trust,
)
from edgeseg.specs.region_looks import RegionLook, looked, read_looks
from edgeseg.specs.run import MASK_FORMATS, RunOptions, parse_spacing
from edgeseg.specs.salt import MAKE_ONE, MIN_SALT_BYTES, check_salt
from edgeseg.specs.seed import check_seed
from edgeseg.specs.seen import (
    KEY_BYTES,
    PatientKey,
    count_seen,
    is_pseudonym,
    is_public,
    key_ids,
    named,
    not_comparable,
    patient_digest,
    refuse_calibrated,
    refuse_learned,
    renewed,
    require_some,
    seen_among,
    seen_entries,
)
from edgeseg.specs.segment_codes import SegmentCodes, segment_codes
from edgeseg.specs.serve import MAX_PREDICT_BYTES, SEGMENT_ROUTE, Bounds, ServeOptions
from edgeseg.specs.site import SITE_SCHEMA_VERSION, SiteCase, SiteManifest
from edgeseg.specs.training import AUGMENTATIONS, NORMALISATIONS, TrainSpec
from edgeseg.specs.trust import TRUST_FEATURES, OutputTrust, Trust, TrustFeature

__all__ = [
    "APP_SCHEMA_VERSION",
    "AUGMENTATIONS",
    "AXIAL",
    "BASE",
    "CHANNELS",
    "COLOURS",
    "CONTRACT_SCHEMA_VERSION",
    "FLIPS",
    "HALF",
    "INPUT_SIGNS",
    "INTENDED_USE",
    "KEY_BYTES",
    "LGG",
    "MAIN_OPTIONS",
    "MAKE_ONE",
    "MASK_FORMATS",
    "MAX_LABEL",
    "MAX_PREDICT_BYTES",
    "MIN_SALT_BYTES",
    "NEWEST_CONTRACT_SCHEMA_VERSION",
    "NORMALISATIONS",
    "OTHERS_CONTRACT_SCHEMA_VERSION",
    "OUTPUTS",
    "PASSES",
    "PASS_FLIPS",
    "PLANES",
    "PROFILES",
    "RECIPE_SPECS",
    "SEGMENT_ROUTE",
    "SITE_SCHEMA_VERSION",
    "TRUST_FEATURES",
    "AppCase",
    "AppFile",
    "AppManifest",
    "Bounds",
    "BuildSpec",
    "Chain",
    "ChannelPrune",
    "ChannelSet",
    "ClassPoint",
    "Cluster",
    "Contract",
    "Destination",
    "Distil",
    "Equalize",
    "ExperimentRow",
    "FineTune",
    "GoldenCase",
    "GoldenDrawing",
    "GoldenLogit",
    "Half",
    "ImageSpec",
    "InputLook",
    "InputSign",
    "Intensity",
    "MaskRegion",
    "NodeOptions",
    "OperatingPoint",
    "OutputTrust",
    "PatientKey",
    "Peer",
    "Plan",
    "PostProcessing",
    "Prune",
    "Qat",
    "Question",
    "RecipeSpec",
    "Region",
    "RegionLook",
    "RunOptions",
    "Scoring",
    "SegmentCodes",
    "ServeOptions",
    "SiteCase",
    "SiteManifest",
    "Tls",
    "TrainSpec",
    "Trust",
    "TrustFeature",
    "VariantSpec",
    "channel_set",
    "check_flips",
    "check_passes",
    "check_plane",
    "check_regions",
    "check_salt",
    "check_seed",
    "colours",
    "contract_toml",
    "count_seen",
    "is_pseudonym",
    "is_public",
    "key_ids",
    "looked",
    "named",
    "not_comparable",
    "options_of",
    "own_regions",
    "parse_labels",
    "parse_spacing",
    "patient_digest",
    "read_looks",
    "recipe_name",
    "refuse_calibrated",
    "refuse_classes",
    "refuse_learned",
    "refuse_regions",
    "renewed",
    "require_some",
    "seen_among",
    "seen_entries",
    "segment_codes",
    "without_trust",
]
