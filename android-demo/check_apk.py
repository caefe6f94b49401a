"""Verify a packed APK: signature, manifest, dex without invoke-custom, native libraries; print its size by part."""

from __future__ import annotations

import struct
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

MAX_BYTES = 25_000_000
PAGE_BYTES = 16_384
CALL_SITES, MAP_OFFSET = 0x0007, 52
PT_LOAD, ELF64_HEADER = 1, 64


def main(apk: Path, package: str, min_sdk: str, target_sdk: str) -> int:
    """Return 0 when every check holds, 1 with a line per problem."""
    problems = [*_signature(apk), *_badging(apk, package, min_sdk, target_sdk)]
    sizes: Counter[str] = Counter()
    with zipfile.ZipFile(apk) as archive:
        names = archive.namelist()
        for info in archive.infolist():
            sizes[_part(info.filename)] += info.compress_size
        for name in names:
            if name.endswith(".dex") and (sites := _call_sites(archive.read(name))):
                problems.append(f"{name} holds {sites} invoke-custom call sites, which Android cannot link")
            if name.endswith(".so"):
                problems += _library(name, archive)
    wanted = (
        "classes.dex",
        "lib/arm64-v8a/libonnxruntime.so",
        "lib/arm64-v8a/libonnxruntime4j_jni.so",
        "assets/edgeseg/model.onnx",
    )
    problems += [f"{name} is missing" for name in wanted if name not in names]
    if apk.stat().st_size > MAX_BYTES:
        problems.append(f"{apk.stat().st_size} bytes; at most {MAX_BYTES} are wanted")
    for part, size in sizes.most_common():
        sys.stdout.write(f"{part:12} {size / 1e6:6.2f} MB\n")
    sys.stdout.write(f"{apk.name}: {apk.stat().st_size / 1e6:.2f} MB, {'NOT good' if problems else 'verified'}\n")
    sys.stderr.writelines(f"problem: {problem}\n" for problem in problems)
    return 1 if problems else 0


def _signature(apk: Path) -> list[str]:
    done = subprocess.run(["apksigner", "verify", "--verbose", str(apk)], capture_output=True, text=True, check=False)
    good = done.returncode == 0 and "v2 scheme (APK Signature Scheme v2): true" in done.stdout
    return [] if good else [f"the signature does not verify: {done.stdout}{done.stderr}"]


def _badging(apk: Path, package: str, min_sdk: str, target_sdk: str) -> list[str]:
    done = subprocess.run(["aapt2", "dump", "badging", str(apk)], capture_output=True, text=True, check=False)
    wanted = (
        f"package: name='{package}'",
        f"sdkVersion:'{min_sdk}'",
        f"targetSdkVersion:'{target_sdk}'",
        "launchable-activity:",
    )
    problems = [f"the manifest does not say {text}" for text in wanted if text not in done.stdout]
    return problems + [
        f"the manifest asks for a permission: {line}"
        for line in done.stdout.splitlines()
        if line.startswith("uses-permission")
    ]


def _call_sites(dex: bytes) -> int:
    (offset,) = struct.unpack_from("<I", dex, MAP_OFFSET)
    (count,) = struct.unpack_from("<I", dex, offset)
    items = (struct.unpack_from("<HHII", dex, offset + 4 + 12 * index) for index in range(count))
    return sum(size for kind, _, size, _ in items if kind == CALL_SITES)


def _library(name: str, archive: zipfile.ZipFile) -> list[str]:
    """A compressed library is unpacked at installation; its segments must be aligned to pages of 16 KB."""
    if archive.getinfo(name).compress_type == zipfile.ZIP_STORED:
        return [f"{name} is stored and not compressed; apksigner aligns it to 4 KB only"]
    elf = archive.read(name)
    (start,) = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", elf, start + size * index) for index in range(count)]
    smallest = min(header[7] for header in headers if header[0] == PT_LOAD)
    return [f"{name} is aligned to {smallest} bytes; {PAGE_BYTES} are needed"] if smallest < PAGE_BYTES else []


def _part(name: str) -> str:
    top = name.partition("/")[0]
    return {"lib": "native", "assets": "assets", "META-INF": "signature"}.get(
        top, "dex" if name.endswith(".dex") else "resources"
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
