#!/usr/bin/env bash
# Packs the app into a signed APK for arm64 tablets, without Gradle: out of what `mvn -f android-demo test` compiled,
# R8 and ONNX Runtime from Maven, and Debian's aapt, zipalign and apksigner. The APK goes to android-demo/target/.
#
#   android-demo/package.sh [--aar FILE]     FILE: an onnxruntime-android .aar that is here already
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

fail() { echo "package.sh: $*" >&2; exit 1; }
property() { sed -n "s:.*<$1>\(.*\)</$1>.*:\1:p" pom.xml | head -1; }

aar=
while [ $# -gt 0 ]; do
    case $1 in
        --aar) [ $# -ge 2 ] || fail "--aar needs a file"; aar=$(realpath "$2"); shift 2 ;;
        *) fail "unknown option '$1'; usage: package.sh [--aar FILE]" ;;
    esac
done
for tool in java mvn aapt2 zipalign apksigner keytool python3 zip unzip; do
    command -v "$tool" >/dev/null || fail "$tool is missing; on Debian and Ubuntu: sudo apt-get install openjdk-17-jdk-headless maven aapt android-framework-res zipalign apksigner zip unzip python3"
done

target=target/apk
apk=target/edgeseg-demo-arm64.apk
ort=$(property onnxruntime.version) r8=$(property r8.version) kotlin=$(property kotlin.version) android=$(property android-all.version)
repository=$(mvn -q -B help:evaluate -Dexpression=settings.localRepository -DforceStdout 2>/dev/null || true)
[ -d "$repository" ] || repository=$HOME/.m2/repository

fetch() {  # group:artifact:version[:type], repository -> nothing; the file then lies in the local repository
    mvn -q -B dependency:get -Dtransitive=false -Dartifact="$1" ${2:+-DremoteRepositories="$2"} >&2 ||
        fail "cannot fetch $1 (see above)${3:-}"
}

stamp=target/classes/org/edgeseg/core/Engine.class
if [ ! -f "$stamp" ] || [ -n "$(find app/src/main pom.xml -type f -newer "$stamp" -print -quit)" ]; then
    mvn -q -B compile >&2 || fail "the app does not compile"
fi
r8_jar=$repository/com/android/tools/r8/$r8/r8-$r8.jar
[ -f "$r8_jar" ] || fetch "com.android.tools:r8:$r8" https://maven.google.com
if [ -z "$aar" ]; then
    aar=$repository/com/microsoft/onnxruntime/onnxruntime-android/$ort/onnxruntime-android-$ort.aar
    [ -f "$aar" ] || fetch "com.microsoft.onnxruntime:onnxruntime-android:$ort:aar" "" "; where Maven Central does not have it, give the file with --aar"
fi
[ -f "$aar" ] || fail "$aar: there is no such file"

rm -rf "$target" "$apk"
mkdir -p "$target/dex" "$target/aar"
unzip -q "$aar" classes.jar 'jni/arm64-v8a/*' -d "$target/aar" || fail "$aar holds no classes.jar or no arm64 libraries"
mkdir -p "$target/lib"
cp -r "$target/aar/jni/arm64-v8a" "$target/lib/arm64-v8a"

# One dex with what the app uses of Kotlin, lambdas turned into classes.
(cd target/classes && zip -qr "../apk/app.jar" . -i '*.class')
java -Xmx1g -cp "$r8_jar" com.android.tools.r8.R8 --release --min-api "$(property min.sdk)" \
    --lib "$repository/org/robolectric/android-all/$android/android-all-$android.jar" \
    --pg-conf app/keep.pro --pg-conf target/manifest/keep.pro --output "$target/dex" \
    "$target/app.jar" "$target/aar/classes.jar" "$repository/org/jetbrains/kotlin/kotlin-stdlib/$kotlin/kotlin-stdlib-$kotlin.jar"

cp target/resources.apk "$target/unsigned.apk"
(cd "$target/dex" && zip -qX ../unsigned.apk ./*.dex)
(cd "$target" && zip -qrX unsigned.apk lib)
zipalign -f 4 "$target/unsigned.apk" "$target/aligned.apk"

# A key for demonstrations, made on the spot; an app for a store is signed with the key of its publisher.
key=target/demo.keystore
[ -f "$key" ] || keytool -genkeypair -keystore "$key" -storepass demonstration -alias demo -keyalg RSA -keysize 2048 -validity 3650 -dname "CN=edgeseg demo" 2>/dev/null
apksigner sign --ks "$key" --ks-pass pass:demonstration --out "$apk" "$target/aligned.apk"
rm -f "$apk.idsig"
python3 check_apk.py "$apk" "$(property application.id)" "$(property min.sdk)" "$(property target.sdk)"
