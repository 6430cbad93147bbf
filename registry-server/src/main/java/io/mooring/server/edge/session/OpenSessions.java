package io.mooring.server.edge.session;

import io.mooring.protocol.MessageWriter;
import io.mooring.protocol.ServerMessage;
import io.mooring.runtime.EventLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of one endpoint that have been welcomed, and what all of them are told: which other nodes there are, and
 * that it is time to go there. Each text is encoded once. Knows no socket, so that the simulation can run it; confined
 * to the event loop.
 */
public final class OpenSessions {
    /** A neighbour that comes and goes costs a session one message in that time, and a stalled one a bounded queue. */
    static final Duration BETWEEN_LISTS = Duration.ofSeconds(1);

    private final EventLoop loop;
    private final Set<SessionConnection> sessions = new LinkedHashSet<>();
    private final Set<SessionConnection> sent = new LinkedHashSet<>(); // those asked to move, to even the nodes out

    private List<String> addresses;
    private long toldAt;
    private boolean told;
    private boolean tellLater;
    private Optional<Drain> drain = Optional.empty();
    private int turn; // of the targets, so that whoever is asked next begins with the next one

    /** What whoever comes now is told too. */
    private record Drain(long end, List<String> targets) {}

    /** @param addresses the session addresses of other nodes, as far as they are known */
    public OpenSessions(EventLoop loop, List<String> addresses) {
        this.loop = loop;
        this.addresses = List.copyOf(addresses);
    }

    /** Session addresses of the other nodes, as they are now: for welcome. */
    public List<String> addresses() {
        return addresses;
    }

    /** Open sessions. */
    public int count() {
        return sessions.size();
    }

    // ---- connections come and go

    /** That connection has just been welcomed, with {@link #addresses}. */
    public void welcomed(SessionConnection connection) {
        sessions.add(connection);
        drain.ifPresent(now -> {
            Duration within = Duration.ofNanos(Math.max(0, now.end - loop.now()));
            connection.askToMove(new Moves(within, now.targets).next());
        });
    }

    /** That connection is closed, or was never welcomed. */
    public void closed(SessionConnection connection) {
        sessions.remove(connection);
        sent.remove(connection);
    }

    // ---- what they are told

    /** Other nodes than before are there; all sessions are told, at most once in a second. The same ones: nobody is. */
    public void addresses(List<String> now) {
        if (now.equals(addresses)) {
            return;
        }
        addresses = List.copyOf(now);
        tellAddresses();
    }

    private void tellAddresses() {
        if (tellLater) {
            return;
        }
        long wait = told ? toldAt + BETWEEN_LISTS.toNanos() - loop.now() : 0;
        if (wait > 0) {
            tellLater = true;
            loop.schedule(Duration.ofNanos(wait), () -> {
                tellLater = false;
                tellAddresses();
            });
            return;
        }
        told = true; // again, perhaps, if the list is back to what it was: who came meanwhile was welcomed with another

        toldAt = loop.now();
        PushEncoder.Encoded peers = encoded(new ServerMessage.Peers(addresses));
        sessions.forEach(session -> session.tell(peers));
    }

    /**
     * The node drains: all sessions are asked to move, and so is everyone who comes after.
     *
     * @param within the time over which they spread
     * @param targets session addresses; each session is told all of them, beginning with another one. Empty: wherever
     *     they like
     */
    public void move(Duration within, List<String> targets) {
        drain = Optional.of(new Drain(loop.now() + within.toNanos(), List.copyOf(targets)));
        Moves moves = new Moves(within, targets);
        sessions.forEach(session -> session.askToMove(moves.next()));
    }

    /**
     * Others have room: some sessions, picked at random from those not asked yet, are asked to move there.
     *
     * @param within the time over which they spread
     * @param targets session addresses; each session is told all of them, beginning with another one
     * @param most how many
     * @return how many were asked
     */
    public int move(Duration within, List<String> targets, int most, RandomGenerator random) {
        List<SessionConnection> candidates = new ArrayList<>(sessions);
        candidates.removeIf(session -> sent.contains(session) || session.isClosed());
        Moves moves = new Moves(within, targets);
        int asked = 0;
        while (asked < most && asked < candidates.size()) {
            int at = random.nextInt(asked, candidates.size());
            SessionConnection session = candidates.get(at);
            candidates.set(at, candidates.get(asked));
            sent.add(session);
            session.askToMove(moves.next());
            asked++;
        }
        if (candidates.isEmpty()) {
            sent.clear(); // all were asked once and are still here: they may be asked again
        }
        return asked;
    }

    private static PushEncoder.Encoded encoded(ServerMessage message) {
        return new PushEncoder.Encoded(MessageWriter.message(message));
    }

    /** The word to move, in as many forms as there are targets to begin with. */
    private final class Moves {
        private final Duration within;
        private final List<String> targets;
        private final PushEncoder.@Nullable Encoded[] forms;

        Moves(Duration within, List<String> targets) {
            this.within = within;
            this.targets = targets;
            this.forms = new PushEncoder.@Nullable Encoded[Math.max(1, targets.size())];
        }

        PushEncoder.Encoded next() {
            int first = turn % forms.length;
            turn = first + 1;
            PushEncoder.Encoded form = forms[first];
            if (form == null) {
                List<String> rotated =
                        new ArrayList<>(targets.subList(Math.min(first, targets.size()), targets.size()));
                rotated.addAll(targets.subList(0, Math.min(first, targets.size())));
                form = encoded(new ServerMessage.Move(within, rotated));
                forms[first] = form;
            }
            return form;
        }
    }
}
