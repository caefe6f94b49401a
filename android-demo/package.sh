#!/usr/bin/env bash
# Packs the app into a signed APK for arm64 tablets, without Gradle: out of what `mvn -f android-demo test` compiled,
# R8 and ONNX Runtime from Maven, and Debian's aapt, zipalign and apksigner. Equal inputs and one key give equal bytes.
#
#   android-demo/package.sh [--aar FILE]                     FILE: an onnxruntime-android .aar that is here already;
#                                                            without it, aar.sh finds one
#   android-demo/package.sh --stand-in [--library FILE]      to rehearse without one; see rehearse.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export TZ=UTC LC_ALL=C

usage="usage: package.sh [--aar FILE | --stand-in [--library FILE]]"
fail() { echo "package.sh: $*" >&2; exit 2; }
property() { sed -n "s:.*<$1>\(.*\)</$1>.*:\1:p" pom.xml | head -1; }
file() { [ $# -ge 2 ] || fail "$1 needs a file; $usage"; [ -f "$2" ] || fail "$2: there is no such file"; realpath "$2"; }

aar='' stand_in='' library=''
while [ $# -gt 0 ]; do
    case $1 in
        --aar) aar=$(file "$@"); shift 2 ;;
        --library) library=$(file "$@"); shift 2 ;;
        --stand-in) stand_in=yes; shift ;;
        *) fail "unknown option '$1'; $usage" ;;
    esac
done
[ -z "$aar" ] || [ -z "$stand_in" ] || fail "--aar and --stand-in exclude each other; $usage"
[ -z "$library" ] || [ -n "$stand_in" ] || fail "--library goes with --stand-in; $usage"
for tool in java mvn aapt2 zipalign apksigner keytool python3 zip unzip; do
    command -v "$tool" >/dev/null || fail "$tool is missing; on Debian and Ubuntu: sudo apt-get install openjdk-17-jdk-headless maven aapt android-framework-res zipalign apksigner zip unzip python3"
done

target=target/apk
apk=target/edgeseg-demo-arm64.apk
[ -z "$stand_in" ] || apk=target/edgeseg-demo-rehearsal.apk
ort=$(property onnxruntime.version) r8=$(property r8.version) kotlin=$(property kotlin.version)
jackson=$(property jackson.version) android=$(property android-all.version)
repository=$(mvn -q -B help:evaluate -Dexpression=settings.localRepository -DforceStdout 2>/dev/null || true)
[ -d "$repository" ] || repository=$HOME/.m2/repository

fetch() {  # group:artifact:version[:type], repository -> nothing; the file then lies in the local repository
    mvn -q -B -C dependency:get -Dtransitive=false -Dartifact="$1" ${2:+-DremoteRepositories="$2"} >&2 ||
        fail "cannot fetch $1 (see above)"
}

pack() {  # archive, folder, names... -> adds what is there to the archive, by name and without times
    local archive=$PWD/$1
    cd "$2"
    shift 2
    find "$@" -exec touch -d 1980-01-01 {} +
    find "$@" -type f | sort | zip -qX "$archive" -@
    cd "$OLDPWD"
}

stamp=target/classes/org/edgeseg/core/Engine.class
if [ ! -f "$stamp" ] || [ -n "$(find app/src/main pom.xml -type f -newer "$stamp" -print -quit)" ]; then
    mvn -q -B -C compile >&2 || fail "the app does not compile"
fi
r8_jar=$repository/com/android/tools/r8/$r8/r8-$r8.jar
[ -f "$r8_jar" ] || fetch "com.android.tools:r8:$r8" https://maven.google.com
android_jar=$repository/org/robolectric/android-all/$android/android-all-$android.jar
kotlin_jar=$repository/org/jetbrains/kotlin/kotlin-stdlib/$kotlin/kotlin-stdlib-$kotlin.jar
jackson_jar=$repository/com/fasterxml/jackson/core/jackson-core/$jackson/jackson-core-$jackson.jar
for library_jar in "$r8_jar" "$android_jar" "$kotlin_jar" "$jackson_jar"; do
    ./verify.sh "$library_jar" "$(basename "$library_jar")"
done
rm -rf "$target" "$apk"
mkdir -p "$target/dex" "$target/aar" "$target/lib"
desktop=$repository/com/microsoft/onnxruntime/onnxruntime/$ort/onnxruntime-$ort.jar
[ -f "$desktop" ] || fetch "com.microsoft.onnxruntime:onnxruntime:$ort"
./verify.sh "$desktop" "onnxruntime-$ort.jar"
if [ -n "$stand_in" ]; then
    # The same Java classes, and their natives as built for arm64 Linux.
    unzip -q "$desktop" 'ai/onnxruntime/*.class' 'ai/onnxruntime/native/linux-aarch64/*' -d "$target/desktop"
    mkdir -p "$target/aar/jni"
    mv "$target/desktop/ai/onnxruntime/native/linux-aarch64" "$target/aar/jni/arm64-v8a"
    [ -z "$library" ] || cp "$library" "$target/aar/jni/arm64-v8a/libonnxruntime.so"
    pack "$target/aar/classes.jar" "$target/desktop" ai
else
    [ -n "$aar" ] || aar=$(./aar.sh "$ort")
    ./verify.sh "$aar" "onnxruntime-android-$ort.aar"
    unzip -q "$aar" classes.jar 'jni/arm64-v8a/*' -d "$target/aar" || fail "$aar holds no classes.jar or no arm64 libraries"
fi
cp -r "$target/aar/jni/arm64-v8a" "$target/lib/arm64-v8a"

# What others ask to go along with their code.
mkdir -p "$target/assets/notices"
unzip -p "$desktop" ThirdPartyNotices.txt >"$target/assets/notices/onnxruntime-ThirdPartyNotices.txt"
unzip -p "$jackson_jar" META-INF/NOTICE >"$target/assets/notices/jackson-core-NOTICE.txt"
unzip -p "$jackson_jar" META-INF/LICENSE >"$target/assets/notices/apache-2.0-LICENSE.txt"

# One dex with what the app uses of Kotlin and Jackson, lambdas turned into classes; android-all has Android's classes,
# the JDK java.*.
jdk=$(java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.home = //p')
cp -r target/classes "$target/classes"
pack "$target/app.jar" "$target/classes" org
java -Xmx1g -cp "$r8_jar" com.android.tools.r8.R8 --release --no-data-resources --min-api "$(property min.sdk)" \
    --lib "$jdk" --lib "$android_jar" \
    --pg-conf app/keep.pro --pg-conf target/manifest/keep.pro --output "$target/dex" \
    "$target/app.jar" "$target/aar/classes.jar" "$kotlin_jar" "$jackson_jar"

cp target/resources.apk "$target/unsigned.apk"
pack "$target/unsigned.apk" "$target/dex" .
pack "$target/unsigned.apk" "$target" assets lib
zipalign -f 4 "$target/unsigned.apk" "$target/aligned.apk"

# A key for demonstrations, made on the spot; an app for a store is signed with the key of its publisher.
# Signature schemes 2 and 3 sign the whole file; scheme 1, for Android 6 and older, would write the time of day into it.
key=target/demo.keystore
[ -f "$key" ] || keytool -genkeypair -keystore "$key" -storepass demonstration -alias demo -keyalg RSA -keysize 2048 -validity 3650 -dname "CN=edgeseg demo" 2>/dev/null
apksigner sign --v1-signing-enabled false --ks "$key" --ks-pass pass:demonstration --out "$target/signed.apk" "$target/aligned.apk"
python3 check_apk.py "$target/signed.apk" "$(property application.id)" "$(property min.sdk)" "$(property target.sdk)" ${stand_in:+--rehearsal}
mv "$target/signed.apk" "$apk"
echo "android-demo/$apk: $(stat -c %s "$apk") bytes, SHA-256 $(sha256sum "$apk" | cut -c1-64)"
echo "Before it was signed, which is the same with every key: SHA-256 $(sha256sum "$target/aligned.apk" | cut -c1-64)"
