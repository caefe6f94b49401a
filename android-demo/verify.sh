#!/usr/bin/env bash
# Compares a library with the SHA-256 that libraries.sha256 has for its name.
#
#   android-demo/verify.sh FILE NAME     NAME: such as r8-8.13.19.jar, whatever the file is called
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: verify.sh FILE NAME" >&2; exit 2; }
list=$(dirname "${BASH_SOURCE[0]}")/libraries.sha256
known=$(awk -v name="$2" '$2 == name { print $1 }' "$list")
if [ -z "$known" ]; then
    echo "verify.sh: $list has no SHA-256 for $2; after a change of its version, compare the new file with what its publisher says and add a line" >&2
    exit 2
fi
[ -f "$1" ] || { echo "verify.sh: $1: there is no such file" >&2; exit 2; }
found=$(sha256sum "$1" | cut -c1-64)
if [ "$found" != "$known" ]; then
    echo "verify.sh: $1 is not the $2 that is expected (SHA-256 $found, expected $known); remove it so that it is fetched again, and if that gives the same, trust neither" >&2
    exit 2
fi
