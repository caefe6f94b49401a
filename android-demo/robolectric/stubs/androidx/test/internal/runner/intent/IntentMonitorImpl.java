package androidx.test.internal.runner.intent;

import android.content.Intent;
import androidx.test.runner.intent.IntentCallback;
import androidx.test.runner.intent.IntentMonitor;

/** Robolectric tells it of each intent; nobody listens. */
public final class IntentMonitorImpl implements IntentMonitor {
    @Override
    public void addIntentCallback(IntentCallback callback) {}

    @Override
    public void removeIntentCallback(IntentCallback callback) {}

    public void signalIntent(Intent intent) {}
}
