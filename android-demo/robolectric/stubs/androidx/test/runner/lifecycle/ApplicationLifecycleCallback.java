package androidx.test.runner.lifecycle;

import android.app.Application;

/** Named by {@link ApplicationLifecycleMonitor}. */
public interface ApplicationLifecycleCallback {
    void onApplicationLifecycleChanged(Application application, ApplicationStage stage);
}
