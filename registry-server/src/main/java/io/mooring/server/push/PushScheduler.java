package io.mooring.server.push;

import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.runtime.EventLoop;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Tells subscribers the latest, once their line is free. Level-triggered: per subscriber a set of services that moved
 * and, per service, the view it was told last; never a queue of events. So a slow subscriber costs one set and gets
 * the latest later, and nobody else notices. Confined to the event loop.
 */
public final class PushScheduler {
    /**
     * How much goes into one delivery: whole views count by their instances, steps as one. Who subscribes to thousands of
     * services at once gets them in several, so that no single frame takes the node's memory or the reader's patience.
     */
    private static final int DELIVERY = 2_000;

    private final EventLoop loop;
    private final Function<ServiceKey, ServiceView> views;
    private final Map<ServiceKey, Set<Cursor>> cursorsByService = new HashMap<>();
    private final Map<Subscriber, Line> lines = new LinkedHashMap<>(); // told in the same order in every run
    private boolean incomplete;
    private boolean uncertain;
    private int subscriptions;
    private int waiting;

    /** One subscriber. */
    private static final class Line {
        final Subscriber subscriber;
        final Map<ServiceKey, Cursor> cursors = new HashMap<>(4);
        final LinkedHashMap<ServiceKey, Cursor> dirty = new LinkedHashMap<>(4);
        boolean busy;

        Line(Subscriber subscriber) {
            this.subscriber = subscriber;
        }
    }

    /** One subscriber's place in one service. */
    private static final class Cursor {
        final Line line;
        final ServiceKey service;

        @Nullable
        ServiceView known;

        boolean toldIncomplete;
        boolean mustTell = true;

        /** Whether it began while the node was gathering or uncertain: it may have seen more elsewhere than this node knows. */
        boolean uncertain;

        Cursor(Line line, ServiceKey service) {
            this.line = line;
            this.service = service;
        }
    }

    /** @param views the view of a service now */
    public PushScheduler(EventLoop loop, Function<ServiceKey, ServiceView> views) {
        this.loop = loop;
        this.views = views;
    }

    /** Subscribed services, summed over subscribers. */
    public int subscriptions() {
        return subscriptions;
    }

    /** Subscribers that have something to hear once their line is free. */
    public int waiting() {
        return waiting;
    }

    /**
     * Starts, or starts anew.
     *
     * @param digest of what the subscriber has, if it has anything
     */
    public void subscribe(Subscriber subscriber, ServiceKey service, OptionalLong digest) {
        loop.assertInLoop();
        Line line = lines.computeIfAbsent(subscriber, Line::new);
        Cursor cursor = line.cursors.get(service);
        if (cursor == null) {
            cursor = new Cursor(line, service);
            line.cursors.put(service, cursor);
            cursorsByService
                    .computeIfAbsent(service, s -> new LinkedHashSet<>(4))
                    .add(cursor);
            subscriptions++;
        }
        ServiceView view = views.apply(service);
        cursor.known = digest.isPresent() && digest.getAsLong() == view.digest() ? view : null;
        cursor.mustTell = true;
        cursor.uncertain = uncertain || incomplete;
        markDirty(cursor);
        deliverIfFree(line);
    }

    public void unsubscribe(Subscriber subscriber, ServiceKey service) {
        loop.assertInLoop();
        Line line = lines.get(subscriber);
        Cursor cursor = line == null ? null : line.cursors.remove(service);
        if (line != null && cursor != null) {
            drop(cursor);
            clean(line, service);
            if (line.cursors.isEmpty() && !line.busy) {
                lines.remove(subscriber);
            }
        }
    }

    /** Forgets everything about a subscriber that is gone. */
    public void forget(Subscriber subscriber) {
        loop.assertInLoop();
        Line line = lines.remove(subscriber);
        if (line != null) {
            if (!line.dirty.isEmpty()) {
                waiting--;
            }
            line.cursors.values().forEach(this::drop);
        }
    }

    private void drop(Cursor cursor) {
        subscriptions--;
        Set<Cursor> cursors = cursorsByService.get(cursor.service);
        if (cursors != null && cursors.remove(cursor) && cursors.isEmpty()) {
            cursorsByService.remove(cursor.service);
        }
    }

    /** The subscriber's line is free again. */
    public void ready(Subscriber subscriber) {
        loop.assertInLoop();
        Line line = lines.get(subscriber);
        if (line != null) {
            line.busy = false;
            deliverIfFree(line);
        }
    }

    /** Views that were swapped just now. */
    public void changed(List<ServiceView> changed) {
        loop.assertInLoop();
        List<Line> touched = new ArrayList<>();
        for (ServiceView view : changed) {
            Set<Cursor> cursors = cursorsByService.get(view.service());
            if (cursors != null) {
                for (Cursor cursor : cursors) {
                    if (markDirty(cursor) && !cursor.line.busy) {
                        touched.add(cursor.line);
                    }
                }
            }
        }
        touched.forEach(this::deliverIfFree);
    }

    /** Whether the node is still gathering changed: everybody hears of it. */
    public void incomplete(boolean newIncomplete) {
        loop.assertInLoop();
        if (incomplete == newIncomplete) {
            return;
        }
        incomplete = newIncomplete;
        reassure();
        List<Line> all = new ArrayList<>(lines.values());
        for (Line line : all) {
            line.cursors.values().forEach(this::markDirty);
        }
        all.forEach(this::deliverIfFree);
    }

    /**
     * Whether the node may lack what another had told: whoever subscribes meanwhile is told that the list is incomplete,
     * until this ends. Those who were here before have nothing that the node does not know.
     */
    public void uncertain(boolean newUncertain) {
        loop.assertInLoop();
        if (uncertain == newUncertain) {
            return;
        }
        uncertain = newUncertain;
        reassure().forEach(this::deliverIfFree);
    }

    /** What the node has now is all there is: whoever came before that hears so. */
    private List<Line> reassure() {
        List<Line> told = new ArrayList<>();
        if (uncertain || incomplete) {
            return told;
        }
        for (Line line : lines.values()) {
            boolean any = false;
            for (Cursor cursor : line.cursors.values()) {
                if (cursor.uncertain) {
                    cursor.uncertain = false;
                    markDirty(cursor);
                    any = true;
                }
            }
            if (any) {
                told.add(line);
            }
        }
        return told;
    }

    private boolean isIncomplete(Cursor cursor) {
        return incomplete || cursor.uncertain;
    }

    /** @return whether it is the line's first reason to speak */
    private boolean markDirty(Cursor cursor) {
        boolean first = cursor.line.dirty.isEmpty();
        cursor.line.dirty.put(cursor.service, cursor);
        if (first) {
            waiting++;
        }
        return first;
    }

    private void clean(Line line, ServiceKey service) {
        if (line.dirty.remove(service) != null && line.dirty.isEmpty()) {
            waiting--;
        }
    }

    private void deliverIfFree(Line line) {
        if (line.busy || line.dirty.isEmpty()) {
            return;
        }
        List<Update> updates = new ArrayList<>(Math.min(line.dirty.size(), 16));
        int room = DELIVERY;
        Iterator<Cursor> each = line.dirty.values().iterator();
        while (each.hasNext() && room > 0) {
            Cursor cursor = each.next();
            each.remove();
            ServiceView view = views.apply(cursor.service);
            if (!worthTelling(cursor, view)) {
                continue;
            }
            updates.add(new Update(cursor.known, view, isIncomplete(cursor)));
            room -= 1 + (cursor.known == null ? view.instances().size() : 0);
            cursor.known = view;
            cursor.toldIncomplete = isIncomplete(cursor);
            cursor.mustTell = false;
        }
        if (line.dirty.isEmpty()) {
            waiting--;
        }
        if (!updates.isEmpty()) {
            line.busy = true;
            line.subscriber.deliver(updates);
        }
    }

    /**
     * A new revision with the same content and flags is kept to ourselves; the cursor then stays at what was really
     * told, since the next delta must start from there.
     */
    private boolean worthTelling(Cursor cursor, ServiceView view) {
        ServiceView known = cursor.known;
        return cursor.mustTell
                || known == null
                || known.digest() != view.digest()
                || known.underProtection() != view.underProtection()
                || cursor.toldIncomplete != isIncomplete(cursor);
    }
}
