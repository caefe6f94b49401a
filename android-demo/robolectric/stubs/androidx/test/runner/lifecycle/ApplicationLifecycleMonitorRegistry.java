package androidx.test.runner.lifecycle;

/** Holds what Robolectric registers. */
public final class ApplicationLifecycleMonitorRegistry {
    private static ApplicationLifecycleMonitor held;

    private ApplicationLifecycleMonitorRegistry() {}

    public static ApplicationLifecycleMonitor getInstance() {
        return held;
    }

    public static void registerInstance(ApplicationLifecycleMonitor monitor) {
        held = monitor;
    }
}
