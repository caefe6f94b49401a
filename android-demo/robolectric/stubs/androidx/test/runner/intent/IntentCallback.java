package androidx.test.runner.intent;

import android.content.Intent;

/** Named by {@link IntentMonitor}. */
public interface IntentCallback {
    void onIntentSent(Intent intent);
}
