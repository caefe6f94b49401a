package androidx.test.platform.app;

import android.app.Instrumentation;
import android.os.Bundle;

/** Holds what Robolectric registers. */
public final class InstrumentationRegistry {
    private static Instrumentation held;
    private static Bundle given;

    private InstrumentationRegistry() {}

    public static Instrumentation getInstrumentation() {
        return held;
    }

    public static Bundle getArguments() {
        return given;
    }

    public static void registerInstance(Instrumentation instrumentation, Bundle arguments) {
        held = instrumentation;
        given = arguments;
    }
}
