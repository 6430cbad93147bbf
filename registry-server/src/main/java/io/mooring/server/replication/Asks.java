package io.mooring.server.replication;

import io.mooring.runtime.EventLoop;
import io.mooring.runtime.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Questions to other nodes that wait for their answers. All have the same patience, so the oldest ends first. */
final class Asks {
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final int MOST = 10_000;

    private final EventLoop loop;
    private final Tally tally;
    private final LinkedHashMap<Long, Open> open = new LinkedHashMap<>();
    private long lastId;
    private @Nullable Timer timer;

    private record Open(Conversation to, long until, Consumer<Optional<PeerMessage.Answer>> answer) {}

    Asks(EventLoop loop, Tally tally) {
        this.loop = loop;
        this.tally = tally;
    }

    /** @param to null when there is no line */
    void ask(@Nullable Conversation to, PeerMessage.Ask ask, Consumer<Optional<PeerMessage.Answer>> answer) {
        if (to == null || open.size() >= MOST) {
            tally.ignored(to == null ? "question to a node out of reach" : "question too many");
            loop.execute(() -> answer.accept(Optional.empty()));
            return;
        }
        long id = ++lastId;
        open.put(id, new Open(to, loop.now() + PATIENCE.toNanos(), answer));
        to.send(new PeerMessage.Ask(id, ask.kind(), ask.payload()));
        if (timer == null) {
            timer = loop.schedule(PATIENCE, this::expire);
        }
    }

    void answered(Conversation from, PeerMessage.Answer answer) {
        Open asked = open.get(answer.id());
        if (asked == null || asked.to != from) {
            tally.ignored("answer that nobody waits for");
            return;
        }
        open.remove(answer.id());
        asked.answer.accept(Optional.of(answer));
    }

    /** No answer comes on that line any more. */
    void lost(Conversation line) {
        List<Open> without = new ArrayList<>();
        open.values().removeIf(asked -> asked.to == line && without.add(asked));
        without.forEach(asked -> loop.execute(() -> asked.answer.accept(Optional.empty())));
    }

    private void expire() {
        timer = null;
        List<Open> overdue = new ArrayList<>();
        long now = loop.now();
        for (Iterator<Open> each = open.values().iterator(); each.hasNext(); ) {
            Open asked = each.next();
            if (asked.until - now > 0) {
                timer = loop.schedule(Duration.ofNanos(asked.until - now), this::expire);
                break;
            }
            each.remove();
            overdue.add(asked);
        }
        overdue.forEach(asked -> asked.answer.accept(Optional.empty()));
    }
}
