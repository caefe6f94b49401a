package androidx.test.runner.intent;

/** Nobody listens in these tests. */
public interface IntentMonitor {
    void addIntentCallback(IntentCallback callback);

    void removeIntentCallback(IntentCallback callback);
}
