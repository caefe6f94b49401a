package androidx.test.runner.lifecycle;

/** Holds what Robolectric registers. */
public final class ActivityLifecycleMonitorRegistry {
    private static ActivityLifecycleMonitor held;

    private ActivityLifecycleMonitorRegistry() {}

    public static ActivityLifecycleMonitor getInstance() {
        return held;
    }

    public static void registerInstance(ActivityLifecycleMonitor monitor) {
        held = monitor;
    }
}
