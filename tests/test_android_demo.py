"""What holds for the app's sources without a JDK: versions, texts, size, and that its assets belong together."""

from __future__ import annotations

import hashlib
import re
import shutil
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from edgeseg.artifacts import sha256_file
from edgeseg.jsonio import from_json
from edgeseg.runtime.contract import read_contract
from edgeseg.specs import AppManifest
from edgeseg.stages.segment.masks import PictureMasks
from edgeseg.stages.ship.android import ASSETS, FLOAT_GOLDENS

APP = Path(__file__).resolve().parents[1] / "android-demo"
TIFFS = APP / "app" / "src" / "test" / "resources" / "tiff"
MAX_FILE_BYTES, MAX_BYTES = 5 * 2**20, 12 * 2**20


def _pom() -> dict[str, str]:
    tree = ET.parse(APP / "pom.xml")
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    found = tree.find("m:properties", space)
    assert found is not None
    properties = {item.tag.split("}")[-1]: item.text or "" for item in found}
    version = tree.find("m:version", space)
    assert version is not None
    assert version.text is not None
    return properties | {"version": version.text}


def test_gradle_and_maven_name_the_same_versions() -> None:
    pom = _pom()
    versions = tomllib.loads((APP / "gradle" / "libs.versions.toml").read_text())["versions"]
    del versions["agp"]
    assert versions == {name: pom[f"{name}.version"] for name in versions}
    gradle = (APP / "app" / "build.gradle.kts").read_text()
    for setting, wanted in {
        "minSdk = ": pom["min.sdk"],
        "targetSdk = ": pom["target.sdk"],
        "versionCode = ": pom["version.code"],
        "versionName = ": f'"{pom["version"]}"',
        "namespace = ": f'"{pom["application.id"]}"',
        "applicationId = ": f'"{pom["application.id"]}"',
    }.items():
        assert f"{setting}{wanted}\n" in gradle


def test_every_library_that_is_packed_has_a_digest_under_the_name_of_its_version() -> None:
    pom = _pom()
    ort = pom["onnxruntime.version"]
    wanted = {
        f"r8-{pom['r8.version']}.jar",
        f"onnxruntime-{ort}.jar",
        f"onnxruntime-android-{ort}.aar",
        f"kotlin-stdlib-{pom['kotlin.version']}.jar",
        f"jackson-core-{pom['jackson.version']}.jar",
        f"android-all-{pom['android-all.version']}.jar",
    }
    lines = [line for line in (APP / "libraries.sha256").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[0-9a-f]{64}  \S+", line) for line in lines)
    assert {line.split()[1] for line in lines} == wanted
    script = (APP / "package.sh").read_text()
    compared = script.index("./verify.sh")
    used = [script.index(word) for word in ("java -Xmx1g", 'unzip -q "$desktop"', 'unzip -q "$aar"')]
    assert compared < min(used)
    assert script.count("./verify.sh") == 3


def test_the_android_library_is_compared_wherever_it_comes_from(tmp_path: Path) -> None:
    """A file in the cache that is another one than expected is refused, and nothing is fetched."""
    import subprocess

    version = _pom()["onnxruntime.version"]
    cache = tmp_path / "edgeseg" / "android"
    cache.mkdir(parents=True)
    (cache / f"onnxruntime-android-{version}.aar").write_bytes(b"another")
    done = subprocess.run(
        [str(APP / "aar.sh"), version],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path)},
    )
    assert done.returncode == 2
    assert "is not the onnxruntime-android" in done.stderr
    assert done.stdout == ""
    script = (APP / "aar.sh").read_text()
    assert len(re.findall(r"^integrity=sha512-[A-Za-z0-9+/]{86}==$", script, re.MULTILINE)) == 1
    assert script.index("verify.sh") < script.index('mv "$1" "$cache/$name"')


def test_a_library_that_is_not_the_expected_one_is_refused(tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "folder").mkdir()
    for script in ("verify.sh", "libraries.sha256"):
        shutil.copy(APP / script, tmp_path / "folder")
    (tmp_path / "a.jar").write_bytes(b"a")
    verify = str(tmp_path / "folder" / "verify.sh")
    known = hashlib.sha256(b"a").hexdigest()
    with (tmp_path / "folder" / "libraries.sha256").open("a") as stream:
        stream.write(f"{known}  a-1.0.jar\n")
    for name, code, said in (
        ("a-1.0.jar", 0, ""),
        ("a-1.1.jar", 2, "no SHA-256 for a-1.1.jar"),
        ("a-1?0.jar", 2, "no SHA-256"),
        (f"r8-{_pom()['r8.version']}.jar", 2, "is not the r8"),
    ):
        done = subprocess.run([verify, str(tmp_path / "a.jar"), name], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert said in done.stderr


@pytest.mark.parametrize("folder", [ASSETS, FLOAT_GOLDENS], ids=str)
def test_a_bundle_holds_what_its_manifest_says(folder: Path) -> None:
    manifest = from_json(AppManifest, (APP / folder / "manifest.json").read_text())
    assert sha256_file(APP / folder / manifest.model.file) == manifest.model.sha256
    named = {file.file: file.sha256 for case in manifest.cases for file in (*case.images, *case.references)}
    assert {name: sha256_file(APP / ASSETS / name) for name in named} == named
    assert {str(path.relative_to(APP / ASSETS)) for path in (APP / ASSETS / "cases").rglob("*.png")} == set(named)


def _write_tiffs(folder: Path) -> None:
    """Write what the app's TIFF reader is tested on: a mask, as edgeseg writes it, and a picture in Pillow's ways."""
    y, x = np.mgrid[:300, :260]
    PictureMasks(folder, ".tiff").add(0, "edgeseg", (x - 90) ** 2 + 2 * (y - 170) ** 2 < 9000)
    y, x, channel = np.mgrid[:30, :40, :3]
    picture = Image.fromarray((x * x * 7 + y * 5 + channel * 40).astype(np.uint8))
    for name, compression, predictor in (
        ("plain", None, 1),
        ("packbits", "packbits", 1),
        ("deflate", "tiff_adobe_deflate", 1),
        ("deflate_predicted", "tiff_adobe_deflate", 2),
        ("lzw_predicted", "tiff_lzw", 2),
    ):
        tags = ImageFileDirectory_v2()
        tags[278] = 8  # rows per strip
        if predictor != 1:
            tags[317] = predictor
        picture.save(folder / f"{name}.tif", compression=compression, tiffinfo=tags)


def test_the_apps_tiffs_are_what_is_written_today(tmp_path: Path) -> None:
    _write_tiffs(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in TIFFS.iterdir()}
    for path in tmp_path.iterdir():
        with TiffImageFile(path) as now, TiffImageFile(TIFFS / path.name) as then:
            assert np.array_equal(np.asarray(now), np.asarray(then))
            for tag in (258, 259, 262, 277, 278, 317):  # how the pixels are stored
                assert now.tag_v2.get(tag) == then.tag_v2.get(tag), (path.name, tag)


def test_both_models_are_one_network() -> None:
    shipped, floating = (read_contract(APP / folder / "model.onnx") for folder in (ASSETS, FLOAT_GOLDENS))
    assert (shipped.variant, shipped.threshold) == (floating.variant, floating.threshold)
    assert shipped.training_hash == floating.training_hash


def test_the_app_stays_small() -> None:
    files = [path for path in APP.rglob("*") if path.is_file() and "target" not in path.relative_to(APP).parts]
    assert max(path.stat().st_size for path in files) <= MAX_FILE_BYTES
    assert sum(path.stat().st_size for path in files) <= MAX_BYTES


def test_layouts_hold_no_text_of_their_own() -> None:
    for layout in (APP / "app" / "src" / "main" / "res").glob("layout*/*.xml"):
        texts = re.findall(r'android:(?:text|hint|contentDescription|label)="([^"]*)"', layout.read_text())
        assert [text for text in texts if not text.startswith("@string/")] == [], layout.name


def test_every_text_is_used() -> None:
    main = APP / "app" / "src" / "main"
    names = re.findall(r'<(?:string|plurals) name="(\w+)"', (main / "res" / "values" / "strings.xml").read_text())
    sources = "".join(path.read_text() for path in main.rglob("*") if path.suffix in (".kt", ".xml"))
    assert [name for name in names if not re.search(rf"(R\.(?:string|plurals)\.|@string/){name}\b", sources)] == []
