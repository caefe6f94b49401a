"""Verify a packed APK: signature, manifest, dex, native libraries; print its size by part."""

from __future__ import annotations

import argparse
import re
import struct
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

MAX_BYTES = 20_000_000
PAGE_BYTES = 16_384
CALL_SITES, MAP_OFFSET = 0x0007, 52
PT_LOAD, AARCH64 = 1, 183
LIBRARY = "lib/arm64-v8a/libonnxruntime.so"
WANTED = (
    "classes.dex",
    LIBRARY,
    "lib/arm64-v8a/libonnxruntime4j_jni.so",
    "assets/edgeseg/model.onnx",
    "assets/notices/onnxruntime-LICENSE.txt",
    "assets/notices/onnxruntime-ThirdPartyNotices.txt",
)


def main(apk: Path, package: str, min_sdk: str, target_sdk: str, *, rehearsal: bool) -> int:
    """Return 0 when every check holds, 1 with a line per problem."""
    problems = [*_signature(apk), *_alignment(apk), *_badging(apk, package, min_sdk, target_sdk)]
    named = _components(apk, package)
    sizes: Counter[str] = Counter()
    with zipfile.ZipFile(apk) as archive:
        names = archive.namelist()
        for info in archive.infolist():
            sizes[part(info.filename)] += info.compress_size
        dex = b"".join(archive.read(name) for name in names if name.endswith(".dex"))
        for name in names:
            if name.endswith(".dex") and (sites := call_sites(archive.read(name))):
                problems.append(f"{name} holds {sites} invoke-custom call sites, which Android cannot link")
            if name.endswith(".so"):
                elf = archive.read(name)
                named |= set(re.findall(rb"\0(ai/onnxruntime/\w+)(?=\0)", elf))
                problems += library_problems(name, elf, stored=_stored(archive, name), rehearsal=rehearsal)
    problems += [f"{name} is missing" for name in WANTED if name not in names]
    problems += [
        f"no dex holds the class {one.decode()}, which the manifest or a native library names"
        for one in sorted(named)
        if b"L" + one + b";\0" not in dex
    ]
    size = apk.stat().st_size
    if size > MAX_BYTES:
        problems.append(f"{size} bytes; at most {MAX_BYTES} are wanted")
    for name, taken in sizes.most_common():
        sys.stdout.write(f"{name:12} {taken / 1e6:6.2f} MB  {100 * taken / size:5.1f} %\n")
    good = "verified, as a rehearsal" if rehearsal else "verified"
    sys.stdout.write(f"{'all':12} {size / 1e6:6.2f} MB, {'NOT good' if problems else good}\n")
    sys.stderr.writelines(f"problem: {problem}\n" for problem in problems)
    return 1 if problems else 0


def _run(*command: str) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _signature(apk: Path) -> list[str]:
    code, said = _run("apksigner", "verify", "--verbose", str(apk))
    good = code == 0 and "v2 scheme (APK Signature Scheme v2): true" in said
    return [] if good else [f"the signature does not verify: {said}"]


def _alignment(apk: Path) -> list[str]:
    """What is stored must begin at a multiple of 4 bytes, so that Android can map it."""
    code, said = _run("zipalign", "-c", "4", str(apk))
    return [f"zipalign: {said}"] if code else []


def _badging(apk: Path, package: str, min_sdk: str, target_sdk: str) -> list[str]:
    _, said = _run("aapt2", "dump", "badging", str(apk))
    wanted = (
        f"package: name='{package}'",
        f"sdkVersion:'{min_sdk}'",
        f"targetSdkVersion:'{target_sdk}'",
        "launchable-activity:",
    )
    problems = [f"the manifest does not say {text}" for text in wanted if text not in said]
    return problems + [
        f"the manifest asks for a permission: {line}"
        for line in said.splitlines()
        if line.startswith("uses-permission")
    ]


def _components(apk: Path, package: str) -> set[bytes]:
    """The classes that the manifest names: application, activities and provider."""
    _, said = _run("aapt2", "dump", "xmltree", str(apk), "--file", "AndroidManifest.xml")
    found = re.findall(r'E: (?:application|activity|provider)[^E]*?:name\(0x01010003\)="([\w.]+)"', said)
    return {(package + name if name[0] == "." else name).replace(".", "/").encode() for name in found}


def call_sites(dex: bytes) -> int:
    """Count the call sites of a dex file, which invoke-custom goes to."""
    (offset,) = struct.unpack_from("<I", dex, MAP_OFFSET)
    (count,) = struct.unpack_from("<I", dex, offset)
    items = (struct.unpack_from("<HHII", dex, offset + 4 + 12 * index) for index in range(count))
    return sum(size for kind, _, size, _ in items if kind == CALL_SITES)


def library_problems(name: str, elf: bytes, *, stored: bool, rehearsal: bool) -> list[str]:
    """A compressed library is unpacked at installation; its segments must be aligned to pages of 16 KB.

    In a rehearsal it may be one of desktop Linux, which Android cannot load.
    """
    if elf[:5] != b"\x7fELF\x02":
        return [f"{name} is no 64-bit ELF file"]
    problems = [f"{name} is stored and not compressed; apksigner aligns it to 4 KB only"] if stored else []
    (machine,) = struct.unpack_from("<H", elf, 18)
    (start,) = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", elf, start + size * index) for index in range(count)]
    smallest = min((header[7] for header in headers if header[0] == PT_LOAD), default=0)
    if machine != AARCH64:
        problems.append(f"{name} is built for machine {machine} and not for arm64 ({AARCH64})")
    if smallest < PAGE_BYTES:
        problems.append(f"{name} is aligned to {smallest} bytes; {PAGE_BYTES} are needed")
    if b"\0libc.so.6\0" in elf and not rehearsal:
        problems.append(f"{name} is built for desktop Linux (it needs libc.so.6), which Android cannot load")
    return problems


def _stored(archive: zipfile.ZipFile, name: str) -> bool:
    return archive.getinfo(name).compress_type == zipfile.ZIP_STORED


def part(name: str) -> str:
    """What a file of the APK counts to."""
    if name == LIBRARY:
        return "onnxruntime"
    if name.startswith("assets/notices/"):
        return "notices"
    top = name.partition("/")[0]
    return {"lib": "its JNI", "assets": "model" if name.endswith(".onnx") else "cases"}.get(
        top, "dex" if name.endswith(".dex") else "resources"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("apk", type=Path)
    parser.add_argument("package")
    parser.add_argument("min_sdk")
    parser.add_argument("target_sdk")
    parser.add_argument("--rehearsal", action="store_true", help="let libraries of desktop Linux pass")
    given = parser.parse_args()
    sys.exit(main(given.apk, given.package, given.min_sdk, given.target_sdk, rehearsal=given.rehearsal))
