plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

android {
    namespace = "org.edgeseg.demo"
    compileSdk = 35

    defaultConfig {
        applicationId = "org.edgeseg.demo"
        minSdk = 26
        targetSdk = 35
        versionCode = 1
        versionName = "1.0"
        ndk { abiFilters += "arm64-v8a" }
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            proguardFiles("keep.pro")
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    packaging { jniLibs { useLegacyPackaging = true } }

    testOptions {
        unitTests {
            isIncludeAndroidResources = true
            all {
                it.workingDir = rootDir
                it.systemProperty("edgeseg.assets", "$projectDir/src/main/assets")
                it.systemProperty("edgeseg.screenshots", "${layout.buildDirectory.get().asFile}/screenshots")
            }
        }
    }
}

kotlin { jvmToolchain(17) }

dependencies {
    implementation(libs.jackson.core)
    implementation(libs.onnxruntime.android)
    testImplementation(libs.onnxruntime.desktop)
    testImplementation(libs.junit)
    testImplementation(libs.robolectric)
}
