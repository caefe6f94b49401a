from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from edgeseg.reports.claims import claims_page as write_page
from edgeseg.reports.claims import measured_claims
from edgeseg.results import BuildResult, LatencyResult, NetworkTiming
from edgeseg.results.cohort import Cohort, PatientCount

MakeBuild = Callable[..., BuildResult]


def claims_page(
    build: BuildResult, *, inputs: Iterable[str], cohort: Cohort | None = None, r2: NetworkTiming | None = None
) -> str:
    return write_page(build, measured_claims(build, cohort=cohort, r2=r2), inputs=inputs)


def cohort(name: str = "kaggle-lgg", patients: int = 88) -> Cohort:
    return Cohort(
        name=name,
        patients=tuple(
            PatientCount(
                patient=f"PHANTOM_{'PA' if i % 2 else 'PB'}_{i:04d}",
                slices=20,
                tumour_slices=7,
                pixels=1000,
                tumour_pixels=10 if i < 5 else 500,
            )
            for i in range(patients)
        ),
    )


def r2(build: BuildResult) -> NetworkTiming:
    latency = LatencyResult(
        artifact="r2unet",
        runtime="rt 9",
        threads=2,
        runs=7,
        warmup_runs=2,
        latency_ms_p50=2345.6,
        latency_ms_p95=2500.0,
    )
    return NetworkTiming(
        variant="r2unet",
        parameters=39_120_000,
        macs=150_000_000_000,
        latency=latency,
        load_average=1.5,
        environment=build.environment,
    )


def section(page: str, title: str) -> str:
    return page.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_every_claim_stands_beside_a_measured_figure(make_build: MakeBuild) -> None:
    build = make_build()
    page = claims_page(build, inputs=["build.json: sha256 0123"], cohort=cohort(), r2=r2(build))
    for claim in ("about 95 % accuracy", "91 % F1", "about 22 s", "about 350 MB", "3939 images"):
        assert claim in page
    assert "99.00%" in section(page, "Accuracy")
    assert "99.51%" in section(page, "Accuracy")
    assert "the same 5 patients" in section(page, "Accuracy")
    assert "0.848 [0.798, 0.888]" in section(page, "F1 score")
    assert "5 patients of phantom" in section(page, "F1 score")
    assert "2346 / 2500 ms" in section(page, "Inference time of R2")
    assert "rt 9, 2 threads, n = 7" in section(page, "Inference time of R2")
    assert "load average before it 1.5" in section(page, "Inference time of R2")
    assert "a synthetic derivation" in section(page, "File size")
    assert "719 x smaller" in section(page, "File size")
    assert "1,760 slices, 616 of them with tumour" in section(page, "Images")
    assert "sha256 0123" in section(page, "Inputs")


def test_the_overview_has_one_row_per_claim(make_build: MakeBuild) -> None:
    build = make_build()
    page = claims_page(build, inputs=[], cohort=cohort(), r2=r2(build))
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| |")]
    assert len(rows) == 5
    assert all(line.count("|") == 4 for line in rows)


def test_a_part_and_the_whole_of_the_kaggle_set_are_told_apart(make_build: MakeBuild) -> None:
    part = section(claims_page(make_build(), inputs=[], cohort=cohort(patients=88)), "Images")
    whole = section(claims_page(make_build(), inputs=[], cohort=cohort(patients=110)), "Images")
    other = section(claims_page(make_build(), inputs=[], cohort=cohort("phantom", 110)), "Images")
    assert "a part of the published set of 110" in part
    assert "the whole set" in whole
    assert "whole set" not in other
    assert "part of" not in other


def test_patients_that_were_not_evaluated_are_not_called_the_same(make_build: MakeBuild) -> None:
    page = section(claims_page(make_build(), inputs=[], cohort=cohort(patients=3)), "Accuracy")
    assert "all 3 patients of kaggle-lgg" in page
    assert "the same" not in page


def test_nothing_measured_means_dashes_and_reasons_and_no_figure(make_build: MakeBuild) -> None:
    page = claims_page(make_build(baseline=None, artifacts=()), inputs=[])
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| |")]
    assert all(line.endswith("| – |") for line in rows)
    for title in ("Accuracy", "F1 score", "Inference time of R2", "File size", "Images"):
        measured = section(page, title).split("Measured:")[1]
        assert not re.search(r"\d", measured.replace("R2U-Net", "")), measured


def test_phantoms_and_seen_patients_are_said(make_build: MakeBuild) -> None:
    build = make_build()
    main = build.artifacts[2]
    assert main.evaluation is not None
    peeked = replace(main, evaluation=replace(main.evaluation, seen_patients=2))
    assert "rest on phantoms" in claims_page(build, inputs=[])
    real = replace(build, rests_on_phantoms=False, artifacts=(peeked,))
    assert "rest on phantoms" not in claims_page(real, inputs=[])
    assert "saw are among them" in section(claims_page(real, inputs=[]), "F1 score")
