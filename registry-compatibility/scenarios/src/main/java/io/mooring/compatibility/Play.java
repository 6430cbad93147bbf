package io.mooring.compatibility;

import io.mooring.compatibility.Application.Calls;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The applications of one framework: providers that come and go, and a consumer that calls them by their name all the time. */
final class Play implements AutoCloseable {
    /** For what must come soon, on a machine that does other things too. */
    private static final Duration SOON = Duration.ofSeconds(20);

    private static final int CALLS = 100;
    private static final int MANY_CALLS = 400;

    private final Framework framework;
    private final String servers;
    private final Path home;
    private final String service;
    private final Deque<Application> running = new ArrayDeque<>();
    private final Map<Integer, Application> providers = new TreeMap<>();
    private @Nullable Application consumer;
    private Calls sum = Calls.NONE;

    Play(Framework framework, String servers, Path home) {
        this.framework = framework;
        this.servers = servers;
        this.home = home;
        // A name that may stand in a URI as the name of a host.
        String tag = framework.client().tag().toLowerCase(Locale.ROOT).replace('.', '-');
        this.service = tag + "-shop";
    }

    Framework framework() {
        return framework;
    }

    private Application consumer() {
        if (consumer == null) {
            throw new IllegalStateException("the consumer did not start: nothing can be said");
        }
        return consumer;
    }

    private Application provider(int number) {
        Application found = providers.get(number);
        if (found == null) {
            throw new IllegalStateException("provider " + number + " did not start: nothing can be said");
        }
        return found;
    }

    private Application start(String role, Map<String, Object> words) throws Exception {
        Application started = Application.start(framework, role, home, servers, service, words);
        running.push(started);
        return started;
    }

    private Application startProvider(int number, int weight) throws Exception {
        Application started = start("provider-" + number, framework.words().provider(service, number, weight));
        providers.put(number, started);
        return started;
    }

    // ---- what is counted

    /** From here on calls are counted anew. */
    void begin() throws Exception {
        if (consumer != null) {
            consumer.called();
        }
        sum = Calls.NONE;
    }

    /** So many more calls. */
    Calls goOn(int calls) throws Exception {
        Calls more = consumer().calls(calls);
        sum = sum.and(more);
        return more;
    }

    void goOn() throws Exception {
        if (consumer != null) {
            goOn(CALLS);
        }
    }

    private void noneFailed() {
        if (sum.failed() > 0) {
            throw new AssertionError("calls that failed: " + sum.failed() + " of " + (sum.failed() + sum.all())
                    + " (expected: none), such as " + sum.why());
        }
    }

    private void calledUntil(String what, Predicate<Calls> good) throws Exception {
        Await.until(what, SOON, () -> goOn(CALLS), good);
    }

    private static void answered(Calls calls, Application... providers) {
        int all = 0;
        for (Application provider : providers) {
            if (calls.of(provider) == 0) {
                throw new AssertionError(
                        "answers: " + calls.answers() + " (expected: some of " + provider.address() + ")");
            }
            all += calls.of(provider);
        }
        if (all != calls.all()) {
            throw new AssertionError("answers: " + calls.answers() + " (expected: of "
                    + List.of(providers).stream().map(Application::address).toList() + " alone)");
        }
    }

    // ---- scenarios

    void callByName() throws Exception {
        Application one = startProvider(1, 1);
        consumer = start("consumer", framework.words().consumer(service));
        consumer().call();
        calledUntil("calls are answered", calls -> calls.of(one) > 0);
        begin();
        answered(goOn(CALLS), one);
        noneFailed();
    }

    void secondAppears() throws Exception {
        Application two = startProvider(2, 3);
        calledUntil("the second is called", calls -> calls.of(two) > 0);
        Calls calls = goOn(MANY_CALLS);
        answered(calls, provider(1), two);
        double share = (double) calls.of(two) / calls.all();
        if (share < 0.65 || share > 0.85) {
            throw new AssertionError("share of the second, of weight 3 beside 1: " + share + " (expected: 0.65-0.85)");
        }
        noneFailed();
    }

    /** After something happened to the registry. */
    void nothingHappened() throws Exception {
        goOn(MANY_CALLS);
        answered(goOn(CALLS), provider(1), provider(2));
        noneFailed();
    }

    void thirdAppears() throws Exception {
        Application three = startProvider(3, 1);
        calledUntil("the third is called", calls -> calls.of(three) > 0);
        noneFailed();
    }

    void oneStops() throws Exception {
        provider(2).stop();
        goOn(CALLS); // with those that it answered while it went
        answered(goOn(CALLS), provider(1), provider(3));
        noneFailed();
    }

    void oneIsKilled() throws Exception {
        Application three = provider(3);
        three.kill();
        calledUntil("it is called no more", calls -> calls.failed() == 0 && calls.of(three) == 0);
        begin();
        answered(goOn(MANY_CALLS), provider(1));
        noneFailed();
    }

    @Override
    public void close() {
        running.forEach(Application::close);
    }
}
