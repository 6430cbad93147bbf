package io.mooring.compatibility;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Waits for what other processes do: it looks every 20 ms, and says what it saw last when that was not it. */
final class Await {
    private static final int SHOWN = 2_000;

    private Await() {}

    /**
     * @param what comes after "waited until"
     * @return what was seen when it was good
     * @throws AssertionError if it did not become good within that time
     */
    static <T> T until(String what, Duration within, Callable<T> look, Predicate<T> good) throws Exception {
        long end = System.nanoTime() + within.toNanos();
        while (true) {
            @Nullable Exception failed = null;
            @Nullable T seen = null;
            try {
                seen = look.call();
                if (good.test(seen)) {
                    return seen;
                }
            } catch (ClientFailure e) { // a client that cannot answer yet may do so later
                failed = e;
            }
            if (System.nanoTime() - end >= 0) {
                throw new AssertionError(
                        "waited " + within.toMillis() + " ms until " + what + "; last seen: "
                                + shown(failed == null ? String.valueOf(seen) : failed.toString()),
                        failed);
            }
            LockSupport.parkNanos(20_000_000);
            if (Thread.interrupted()) {
                throw new InterruptedException("while waiting until " + what);
            }
        }
    }

    /** Looks for that time, and fails when it is not good at any look. */
    static <T> void always(String what, Duration during, Callable<T> look, Predicate<T> good) throws Exception {
        long end = System.nanoTime() + during.toNanos();
        do {
            T seen = look.call();
            if (!good.test(seen)) {
                throw new AssertionError("expected: " + what + "; seen: " + shown(String.valueOf(seen)));
            }
            LockSupport.parkNanos(20_000_000);
        } while (System.nanoTime() - end < 0);
    }

    private static String shown(String seen) {
        return seen.length() <= SHOWN ? seen : seen.substring(0, SHOWN) + "...";
    }
}
