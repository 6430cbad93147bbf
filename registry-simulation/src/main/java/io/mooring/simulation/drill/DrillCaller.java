package io.mooring.simulation.drill;

import io.mooring.client.Call;
import io.mooring.client.CallResult;
import io.mooring.client.ClientStatus;
import io.mooring.client.Mooring;
import io.mooring.client.Service;
import io.mooring.client.ServiceSnapshot;
import io.mooring.model.Instance;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A process that calls the service at a steady rate and says every tenth of a second how it went. Arguments: registry
 * addresses, cache directory, calls per second, a name to try the resolver with.
 */
final class DrillCaller {
    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final long REPORT_NANOS = 100_000_000L;

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(TIMEOUT)
            .build();
    private final Service service;
    private int calls;
    private int failed;
    private int retried;

    private DrillCaller(Service service) {
        this.service = service;
    }

    public static void main(String[] arguments) throws InterruptedException, ExecutionException, TimeoutException {
        long started = System.nanoTime();
        try (Mooring mooring = Mooring.builder()
                .servers(arguments[0].split(","))
                .cacheDirectory(Path.of(arguments[1]))
                .build()) {
            Service service = mooring.service(OutageDrill.SERVICE);
            service.whenReady().get(10, TimeUnit.SECONDS);
            Say.line("ready after " + (System.nanoTime() - started) / 1_000_000 + " ms; " + arguments[3]
                    + (resolves(arguments[3]) ? " resolves" : " does not resolve"));
            new DrillCaller(service).run(mooring, Integer.parseInt(arguments[2]));
        }
    }

    private static boolean resolves(String name) {
        try {
            return InetAddress.getByName(name) != null;
        } catch (UnknownHostException e) {
            return false; // what the drill asked for
        }
    }

    private void run(Mooring mooring, int callsPerSecond) throws InterruptedException {
        long interval = 1_000_000_000L / callsPerSecond;
        long next = System.nanoTime();
        long reported = next;
        while (true) {
            call();
            long now = System.nanoTime();
            if (now - reported >= REPORT_NANOS) {
                reported = now;
                report(mooring);
            }
            next += interval;
            long wait = next - System.nanoTime();
            if (wait > 0) {
                TimeUnit.NANOSECONDS.sleep(wait);
            }
        }
    }

    private void report(Mooring mooring) {
        ServiceSnapshot view = service.view();
        boolean connected = mooring.status().state() == ClientStatus.State.CONNECTED;
        Say.line(String.join(
                " ",
                "stat",
                Integer.toString(calls),
                Integer.toString(failed),
                Integer.toString(retried),
                view.source().name(),
                Long.toString(view.age().toMillis()),
                Integer.toString(view.instances().size()),
                Boolean.toString(view.underProtection()),
                Boolean.toString(connected)));
        calls = 0;
        failed = 0;
        retried = 0;
    }

    /** One call as an application makes it: choose, call, and one retry elsewhere if nobody was there. */
    private void call() throws InterruptedException {
        calls++;
        Optional<Call> first = service.begin();
        if (first.isEmpty()) {
            failed++;
            Say.line("nobody to call");
            return;
        }
        try (Call call = first.get()) {
            if (answers(call.instance())) {
                call.report(CallResult.SUCCESS);
                return;
            }
            call.report(CallResult.UNREACHABLE);
            retried++;
            Say.line("retry away from " + call.instance().port());
            Optional<Instance> other = service.chooseAnother(call.instance());
            if (other.isEmpty() || !answers(other.get())) {
                failed++;
                Say.line("failed: " + other.map(Instance::address).orElse("nobody else"));
            }
        }
    }

    private boolean answers(Instance instance) throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + instance.address() + "/"))
                .timeout(TIMEOUT)
                .build();
        try {
            return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false; // counted by the caller
        }
    }
}
