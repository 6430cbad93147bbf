package io.mooring.client;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.Metadata;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;

/**
 * An instance this process registered: a promise that the client keeps over every reconnect until it is closed. Safe for
 * use by any thread.
 *
 * <p>The futures complete when the registry has confirmed, however long that takes; they fail with {@link RefusedException}
 * when it refused (the client goes on trying), and with {@link IllegalStateException} when the handle or the client was
 * closed first. Cancelling one changes nothing else.
 */
public final class RegisteredInstance implements AutoCloseable {
    private final InstanceId id;
    private final Session session;
    private final MooringPorts ports;
    private final CompletableFuture<Void> registered;

    RegisteredInstance(InstanceId id, Session session, MooringPorts ports, CompletableFuture<Void> registered) {
        this.id = id;
        this.session = session;
        this.ports = ports;
        this.registered = registered;
    }

    public InstanceId id() {
        return id;
    }

    /** Completes when the registry has it for the first time. */
    public CompletableFuture<Void> whenRegistered() {
        return registered.copy();
    }

    /** @throws io.mooring.model.InvalidValueException unless it is 0-10000 */
    public CompletableFuture<Void> updateWeight(double weight) {
        new Instance(id, weight, true, Metadata.empty()); // checks it here, for the caller
        return change(instance -> instance.withWeight(weight));
    }

    /** Replaces all labels. @throws io.mooring.model.InvalidValueException when they break a limit */
    public CompletableFuture<Void> updateMetadata(Map<String, String> metadata) {
        Metadata checked = Metadata.of(metadata);
        return change(instance -> instance.withMetadata(checked));
    }

    /** False takes it out of rotation without deregistering it. */
    public CompletableFuture<Void> updateEnabled(boolean enabled) {
        return change(instance -> instance.withEnabled(enabled));
    }

    private CompletableFuture<Void> change(UnaryOperator<Instance> change) {
        if (session.closed.isDone()) {
            return CompletableFuture.failedFuture(new IllegalStateException(id + ": the client is closed"));
        }
        CompletableFuture<Void> future = new CompletableFuture<>();
        session.post("an update", () -> session.registrations.change(this, id, change, future));
        return future.copy();
    }

    /**
     * Leaves without a failed call: takes it out of rotation, and when the registry has confirmed that waits {@code
     * forCallers}, so that callers hear of it and calls under way end; then deregisters. When the registry does not
     * confirm within twice {@code forCallers}, deregisters without.
     *
     * @param forCallers zero or more; a second or two suffice for hearing, the rest is for calls under way
     * @return completes when it is deregistered
     */
    public CompletableFuture<Void> drain(Duration forCallers) {
        if (forCallers.isNegative()) {
            throw new IllegalArgumentException("forCallers: " + forCallers + " (expected: zero or more)");
        }
        if (session.closed.isDone()) {
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<Void> left = new CompletableFuture<>();
        session.post("a drain", () -> {
            CompletableFuture<Void> disabled = new CompletableFuture<>();
            session.registrations.change(this, id, instance -> instance.withEnabled(false), disabled);
            Runnable leave = once(
                    () -> session.enter("the end of a drain", () -> session.registrations.deregister(this, id, left)));
            CompletableFuture<?> unused = disabled.whenComplete((done, refused) ->
                    session.post("a drain", () -> ports.loop().schedule(forCallers, leave)));
            ports.loop().schedule(forCallers.multipliedBy(2), leave);
        });
        return left.copy();
    }

    private static Runnable once(Runnable task) {
        boolean[] done = new boolean[1]; // on the loop only
        return () -> {
            if (!done[0]) {
                done[0] = true;
                task.run();
            }
        };
    }

    /** Deregisters it. Completes when the registry has confirmed; at once when it never heard of it. Idempotent. */
    public CompletableFuture<Void> deregister() {
        if (session.closed.isDone()) {
            return CompletableFuture.completedFuture(null); // closing the client deregistered everything
        }
        CompletableFuture<Void> future = new CompletableFuture<>();
        session.post("a deregistration", () -> session.registrations.deregister(this, id, future));
        return future.copy();
    }

    /** As {@link #deregister()}, without waiting. */
    @Override
    public void close() {
        session.post("a deregistration", () -> session.registrations.deregister(this, id, new CompletableFuture<>()));
    }
}
