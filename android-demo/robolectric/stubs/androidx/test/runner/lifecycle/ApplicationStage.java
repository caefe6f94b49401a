package androidx.test.runner.lifecycle;

/** The stages of an application that Robolectric reports. */
public enum ApplicationStage {
    PRE_ON_CREATE,
    CREATED
}
