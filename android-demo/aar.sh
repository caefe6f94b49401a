#!/usr/bin/env bash
# Finds ONNX Runtime's library for Android and prints where it lies: in the cache, else on Maven Central, else in an npm
# package of somebody else, who copied it. Whoever it comes from, it has the SHA-256 of libraries.sha256 or is refused.
#
#   android-demo/aar.sh VERSION
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fail() { echo "aar.sh: $*" >&2; exit 2; }
[ $# -eq 1 ] || fail "usage: aar.sh VERSION"

package=com.github.asus4.onnxruntime package_version=0.4.9
integrity=sha512-BkzxduSZ9IkeDP6Q8lz2TFU2ie7hSSvS7ZIfzMooExoq0CNzJnuuGaUJ7IsojBgqO4ouD1jXah8OYyJbCN29Fg==
inside=package/Plugins/Android/onnxruntime.aar

name=onnxruntime-android-$1.aar
cache=${XDG_CACHE_HOME:-$HOME/.cache}/edgeseg/android
if [ -f "$cache/$name" ]; then
    "$here/verify.sh" "$cache/$name" "$name"
    echo "$cache/$name"
    exit
fi
mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

keep() {  # file -> the cache holds it, under its name
    "$here/verify.sh" "$1" "$name" && mv "$1" "$cache/$name" && echo "$cache/$name"
}

if mvn -q -B -C dependency:copy -Dartifact="com.microsoft.onnxruntime:onnxruntime-android:$1:aar" \
    -DoutputDirectory="$work/central" >"$work/said" 2>&1; then
    keep "$work/central/$name" && exit
    echo "aar.sh: Maven Central's file is another one than is expected; trying npm's" >&2
fi
command -v npm >/dev/null || fail "Maven Central does not give $name, and npm, which has $package, is missing; install Node.js, or give the file: package.sh --aar FILE"
echo "Maven Central does not give $name; fetching $package $package_version from npm (150 MB), once." >&2
(cd "$work" && npm pack --silent --ignore-scripts "$package@$package_version" >/dev/null) ||
    fail "npm cannot fetch $package $package_version; try again, or give the file: package.sh --aar FILE"
archive=$work/$package-$package_version.tgz
found=sha512-$(python3 -c 'import base64, hashlib, sys; print(base64.b64encode(hashlib.sha512(open(sys.argv[1], "rb").read()).digest()).decode())' "$archive")
[ "$found" = "$integrity" ] || fail "$package $package_version is not the package that is expected (integrity $found, expected $integrity); do not use it"
tar -xzf "$archive" -C "$work" "$inside"
keep "$work/$inside"
