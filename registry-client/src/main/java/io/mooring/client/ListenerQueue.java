package io.mooring.client;

import io.mooring.client.ServiceChange.Removed;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.RemovalCause;
import io.mooring.runtime.EventLoop;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells one listener, one call at a time, on the listeners' executor. Holds no queue: only the latest list, the last one
 * delivered, and the causes of removals in between. So a listener that blocks for an hour costs nothing and gets one
 * merged change afterwards.
 */
final class ListenerQueue implements Subscription {
    private static final Logger log = LoggerFactory.getLogger(ListenerQueue.class);

    private final ServiceListener listener;
    private final Executor executor;
    private final EventLoop loop;
    private final Counters counters;
    private final Consumer<ListenerQueue> onClose;

    private @Nullable Lookup latest; // guarded by this
    private List<ListedInstance> delivered = List.of(); // guarded by this
    private boolean first = true; // guarded by this
    private Map<InstanceId, RemovalCause> causes = new HashMap<>(); // guarded by this; only of those delivered
    private boolean scheduled; // guarded by this
    private boolean closed; // guarded by this

    ListenerQueue(
            ServiceListener listener,
            Executor executor,
            EventLoop loop,
            Counters counters,
            Consumer<ListenerQueue> onClose) {
        this.listener = listener;
        this.executor = executor;
        this.loop = loop;
        this.counters = counters;
        this.onClose = onClose;
    }

    /** The list may have changed. On the loop; never waits for the listener. */
    synchronized void offer(Lookup lookup, Map<InstanceId, RemovalCause> removals) {
        if (closed) {
            return;
        }
        for (Map.Entry<InstanceId, RemovalCause> removal : removals.entrySet()) {
            if (Mirror.find(delivered, removal.getKey()) >= 0) {
                causes.put(removal.getKey(), removal.getValue());
            }
        }
        latest = lookup;
        schedule();
    }

    /** The executor may have refused the last change; until there is another one, nobody else would try again. */
    synchronized void retry() {
        if (latest != null) {
            schedule();
        }
    }

    private synchronized void schedule() {
        if (scheduled || closed) {
            return;
        }
        scheduled = true;
        try {
            executor.execute(this::run);
        } catch (RuntimeException | Error e) {
            scheduled = false; // the next change tries again, or the next look around
            counters.listenerFailures.increment();
            log.warn("Could not run a listener; it will hear a little later", e);
        }
    }

    private void run() {
        Optional<ServiceChange> change = next();
        if (change.isPresent()) {
            try {
                listener.onChange(change.get());
            } catch (Throwable e) { // whatever it throws is its own matter
                counters.listenerFailures.increment();
                log.warn(
                        "A listener of {} failed; it will be called again",
                        change.get().view().service(),
                        e);
            }
        }
        synchronized (this) {
            scheduled = false;
            if (latest != null) {
                schedule(); // as a new task, so that a busy service does not keep the thread from others
            }
        }
    }

    /** Takes what there is to tell; after {@link #close} there is nothing. */
    private synchronized Optional<ServiceChange> next() {
        Lookup lookup = latest;
        latest = null;
        if (closed || lookup == null) {
            return Optional.empty();
        }
        Optional<ServiceChange> change = difference(delivered, lookup, causes, first);
        delivered = lookup.listed;
        first = false;
        causes = new HashMap<>();
        return change;
    }

    private Optional<ServiceChange> difference(
            List<ListedInstance> before, Lookup lookup, Map<InstanceId, RemovalCause> why, boolean tellAnyway) {
        List<ListedInstance> after = lookup.listed;
        List<ListedInstance> added = new ArrayList<>();
        List<Removed> removed = new ArrayList<>();
        List<ListedInstance> changed = new ArrayList<>();
        int b = 0;
        int a = 0;
        while (b < before.size() || a < after.size()) {
            int order = b == before.size()
                    ? 1
                    : a == after.size()
                            ? -1
                            : before.get(b).id().compareTo(after.get(a).id());
            if (order < 0) {
                ListedInstance left = before.get(b++);
                removed.add(new Removed(left, Optional.ofNullable(why.get(left.id()))));
            } else if (order > 0) {
                added.add(after.get(a++));
            } else {
                ListedInstance was = before.get(b++);
                ListedInstance is = after.get(a++);
                if (was != is && !was.equals(is)) {
                    changed.add(is);
                }
            }
        }
        if (added.isEmpty() && removed.isEmpty() && changed.isEmpty() && !tellAnyway) {
            return Optional.empty();
        }
        return Optional.of(new ServiceChange(
                List.copyOf(added), List.copyOf(removed), List.copyOf(changed), lookup.snapshot(loop.now())));
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            latest = null;
            delivered = List.of();
            causes = new HashMap<>();
        }
        onClose.accept(this);
    }
}
