package io.mooring.server.edge.session;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.protocol.MessageWriter;
import io.mooring.protocol.ServerMessage;
import io.mooring.server.push.Update;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Turns updates into messages, each view and form once, whoever else wants the same. Confined to the event loop; the
 * cache is bounded by its bytes.
 */
public final class PushEncoder {
    private static final long CACHE_BYTES = 16L << 20;

    /** What makes two messages the same; {@code from} is -1 for a whole view. */
    private record Form(ServiceKey service, long from, long to, boolean incomplete) {}

    /** A message, and the frame that carries it alone, which most sessions get. */
    static final class Encoded {
        final byte[] message;
        private byte @Nullable [] frame;

        Encoded(byte[] message) {
            this.message = message;
        }

        byte[] frame() {
            byte[] made = frame;
            if (made == null) {
                made = FrameBytes.of(List.of(message));
                frame = made;
            }
            return made;
        }
    }

    private final Cache<Form, Encoded> cache = Caffeine.newBuilder()
            .maximumWeight(CACHE_BYTES)
            .weigher((Form form, Encoded encoded) -> 2 * encoded.message.length + 200)
            .expireAfterAccess(Duration.ofSeconds(10))
            .executor(Runnable::run)
            .build();

    private @Nullable Update lastUpdate;
    private @Nullable Encoded lastEncoded;

    /**
     * The message for an update.
     *
     * @param answered the id of the subscribe this answers, or 0
     */
    Encoded encode(Update update, long answered) {
        if (answered != 0) {
            return new Encoded(MessageWriter.message(message(update, OptionalLong.of(answered))));
        }
        Update last = lastUpdate;
        Encoded encoded = lastEncoded;
        if (last != null
                && encoded != null
                && last.known() == update.known()
                && last.view() == update.view()
                && last.incomplete() == update.incomplete()) {
            return encoded;
        }
        ServiceView known = update.known();
        Form form = new Form(
                update.view().service(),
                known == null ? -1 : known.revision(),
                update.view().revision(),
                update.incomplete());
        encoded = cache.get(form, f -> new Encoded(MessageWriter.message(message(update, OptionalLong.empty()))));
        lastUpdate = update;
        lastEncoded = encoded;
        return encoded;
    }

    private static ServerMessage message(Update update, OptionalLong answered) {
        ServiceView view = update.view();
        ServiceView known = update.known();
        if (known != null && update.sameContent()) {
            return new ServerMessage.Same(
                    answered,
                    view.service(),
                    view.revision(),
                    view.digest(),
                    view.underProtection(),
                    update.incomplete());
        }
        if (known != null && answered.isEmpty()) {
            ServerMessage.Delta delta = delta(known, view, update.incomplete());
            if (delta.put().size() + delta.removed().size() <= view.instances().size()) {
                return delta;
            }
        }
        return new ServerMessage.View(
                answered,
                view.service(),
                view.revision(),
                view.digest(),
                view.instances(),
                view.removals(),
                view.underProtection(),
                update.incomplete());
    }

    /** What leads from one view to the other: a walk along both sorted lists, which mostly share their elements. */
    static ServerMessage.Delta delta(ServiceView known, ServiceView view, boolean incomplete) {
        List<ListedInstance> before = known.instances();
        List<ListedInstance> after = view.instances();
        List<ListedInstance> put = new ArrayList<>();
        List<Removal> removed = new ArrayList<>();
        int b = 0;
        int a = 0;
        while (b < before.size() || a < after.size()) {
            if (b < before.size() && a < after.size() && before.get(b) == after.get(a)) {
                b++;
                a++;
                continue;
            }
            int order = b == before.size()
                    ? 1
                    : a == after.size()
                            ? -1
                            : before.get(b).id().compareTo(after.get(a).id());
            if (order < 0) {
                ListedInstance gone = before.get(b);
                removed.add(new Removal(gone.id(), RemovalCause.LEASE_EXPIRED, gone.generation()));
                b++;
            } else if (order > 0) {
                put.add(after.get(a));
                a++;
            } else {
                if (before.get(b).fingerprint() != after.get(a).fingerprint()) {
                    put.add(after.get(a));
                }
                b++;
                a++;
            }
        }
        return new ServerMessage.Delta(
                view.service(),
                known.revision(),
                view.revision(),
                view.digest(),
                put,
                withCauses(removed, view),
                view.underProtection(),
                incomplete);
    }

    private static List<Removal> withCauses(List<Removal> removed, ServiceView view) {
        if (removed.isEmpty()) {
            return removed;
        }
        Map<InstanceId, Removal> remembered = new HashMap<>();
        for (Removal removal : view.removals()) {
            remembered.put(removal.instance(), removal);
        }
        // One the view remembers no more (it remembers few) keeps the least certain cause.
        removed.replaceAll(removal -> remembered.getOrDefault(removal.instance(), removal));
        return removed;
    }
}
