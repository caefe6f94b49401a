package androidx.test.runner.intent;

import android.app.Instrumentation.ActivityResult;
import android.content.Intent;

/** Answers an intent in place of another app. */
public interface IntentStubber {
    ActivityResult getActivityResultForIntent(Intent intent);
}
