package androidx.test.runner.intent;

/** Holds what Robolectric registers. */
public final class IntentMonitorRegistry {
    private static IntentMonitor held;

    private IntentMonitorRegistry() {}

    public static IntentMonitor getInstance() {
        return held;
    }

    public static void registerInstance(IntentMonitor monitor) {
        held = monitor;
    }
}
