#!/usr/bin/env bash
# Rehearses the packaging where ONNX Runtime's Android library cannot be fetched: its desktop release for arm64 Linux,
# which has the same Java classes, stands in. Packs twice, compiling anew in between, and compares the bytes.
#
#   android-demo/rehearse.sh [--library FILE]     FILE: a libonnxruntime.so for arm64 Android, to see the size with it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

apk=target/edgeseg-demo-rehearsal.apk
./package.sh --stand-in "$@"
mv "$apk" target/first.apk
rm -rf target/classes target/resources.apk target/resources.zip target/generated-sources target/manifest
./package.sh --stand-in "$@" >/dev/null
cmp target/first.apk "$apk" || { echo "rehearse.sh: two packings of one source differ, so the APK cannot be reproduced" >&2; exit 1; }
rm target/first.apk
echo "Packed twice, equal bytes: SHA-256 $(sha256sum "$apk" | cut -c1-16)"
echo "REHEARSAL: $apk tests the packaging only. Do not install it: its native libraries are those of another system."
