package io.mooring.server.replication;

import io.mooring.runtime.EventLoop;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.membership.Membership;
import io.mooring.server.membership.PeerLine;
import io.mooring.server.shard.NodeId;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lines to other nodes, from the greeting to the end. Nothing but greetings passes before both sides have proven
 * themselves. Between two nodes one line is in use: if both have dialled, the one that the node with the smaller name
 * dialled.
 */
final class Lines {
    private static final Logger log = LoggerFactory.getLogger(Lines.class);
    private static final int MOST = 64;
    private static final int MOST_LOGGED = 256;

    private final ClusterSettings settings;
    private final EventLoop loop;
    private final RandomGenerator random;
    private final Membership membership;
    private final Tally tally;
    private final Events events;
    private final Handshake handshake;
    private final Supplier<PeerMessage.Hello> hello;
    private final LinkedHashMap<PeerLine, Conversation> conversations = new LinkedHashMap<>();
    private final TreeMap<NodeId, Conversation> inUse = new TreeMap<>();
    private final Set<String> logged = new HashSet<>();

    /** What the rest of the package does about it. */
    interface Events {
        /** What this node knows of that one. */
        PeerMessage.Known known(NodeId node, boolean alone);

        /** What that node knows of this one. */
        void knownBy(Conversation line, PeerMessage.Known known);

        /** From now on that line leads to its node. */
        void inUse(Conversation line);

        /** That line does not any more. */
        void outOfUse(Conversation line);
    }

    /** @param hello without its nonce */
    Lines(
            ClusterSettings settings,
            EventLoop loop,
            RandomGenerator random,
            Membership membership,
            Tally tally,
            Events events,
            Supplier<PeerMessage.Hello> hello) {
        this.settings = settings;
        this.loop = loop;
        this.random = random;
        this.membership = membership;
        this.tally = tally;
        this.events = events;
        this.hello = hello;
        this.handshake = new Handshake(settings.secret());
    }

    /** The lines in use, by node. */
    Map<NodeId, Conversation> inUse() {
        return Collections.unmodifiableMap(inUse);
    }

    @Nullable
    Conversation get(PeerLine line) {
        return conversations.get(line);
    }

    List<Conversation> all() {
        return List.copyOf(conversations.values());
    }

    /** @param dialled the address; null when the other side dialled */
    void open(PeerLine line, @Nullable String dialled) {
        PeerMessage.Hello blank = hello.get();
        PeerMessage.Hello mine = new PeerMessage.Hello(
                blank.version(),
                blank.oldest(),
                blank.cluster(),
                blank.node(),
                blank.incarnation(),
                blank.process(),
                blank.advertised(),
                blank.sessions(),
                random.nextLong(),
                random.nextLong());
        Conversation conversation = new Conversation(line, dialled, mine, loop.now());
        conversations.put(line, conversation);
        if (conversations.size() > MOST && !makeRoom(conversation)) {
            refuse(conversation, new PeerMessage.Refuse("full", "there are " + MOST + " lines already"));
            return;
        }
        conversation.send(mine);
    }

    /** Strangers who say nothing do not keep peers out. */
    private boolean makeRoom(Conversation fresh) {
        for (Conversation each : conversations.values()) {
            if (each != fresh && each.dialled == null && !each.isOpen()) {
                tally.refused("made room");
                end(each, Optional.empty(), false);
                return true;
            }
        }
        return false;
    }

    // ---- the greeting

    /** @return whether the message belonged to the greeting, or ended the line for coming before it */
    boolean greeted(Conversation line, PeerMessage message) {
        if (message instanceof PeerMessage.Refuse refuse) {
            refused(line, refuse);
        } else if (message instanceof PeerMessage.Hello hers && line.state == Conversation.State.GREETED) {
            hello(line, hers);
        } else if (message instanceof PeerMessage.Proof proof && line.state == Conversation.State.ASKED) {
            proof(line, proof);
        } else if (message instanceof PeerMessage.Known known && line.state == Conversation.State.PROVEN) {
            known(line, known);
        } else if (line.isOpen() && !isGreeting(message)) {
            return false;
        } else {
            tally.refused("out of order");
            end(line, Optional.of("it said " + kind(message) + " out of order"), false);
        }
        return true;
    }

    private static boolean isGreeting(PeerMessage message) {
        return message instanceof PeerMessage.Hello || message instanceof PeerMessage.Proof;
    }

    private static String kind(PeerMessage message) {
        return message.getClass().getSimpleName();
    }

    private void hello(Conversation line, PeerMessage.Hello theirs) {
        line.theirs = theirs;
        Optional<PeerMessage.Refuse> objection = Handshake.objection(line.mine, theirs);
        if (objection.isPresent()) {
            if (objection.get().code().equals("self")) {
                meets(line, theirs);
            }
            refuse(line, objection.get());
            return;
        }
        line.state = Conversation.State.ASKED;
        line.send(new PeerMessage.Proof(handshake.proof(line.dialled != null, line.mine, theirs)));
    }

    /**
     * This node has heard its own hello: the address leads home only if that was said just now, at the other end. Anybody could
     * say it again, or that we are the node itself, and we should no longer miss who is really there.
     */
    private void meets(Conversation line, PeerMessage.Hello heard) {
        for (Conversation other : conversations.values()) {
            if (other != line && other.mine.equals(heard)) {
                String dialled = line.dialled != null ? line.dialled : other.dialled;
                if (dialled != null) {
                    membership.leadsHome(dialled);
                }
                return;
            }
        }
    }

    private void proof(Conversation line, PeerMessage.Proof proof) {
        if (!handshake.isProof(proof.mac(), line.dialled == null, line.hello(), line.mine)) {
            refuse(
                    line,
                    new PeerMessage.Refuse(
                            "secret",
                            "node " + line.node() + " and " + line.mine.node()
                                    + " do not have the same secret (expected:"
                                    + " the same mooring.cluster.secret on all nodes)"));
            return;
        }
        if (isTaken(line.hello())) {
            String text = "two processes call themselves " + line.node() + " (expected: one; if a data directory was"
                    + " copied, give the copy another mooring.node.name and an empty directory)";
            membership.refused(line.node(), text);
            refuse(line, new PeerMessage.Refuse("duplicate", text));
            return;
        }
        line.state = Conversation.State.PROVEN;
        line.send(events.known(line.node(), !inUse.containsKey(line.node())));
    }

    /** Whether another process of that name is there, by its line or by the word of others. */
    private boolean isTaken(PeerMessage.Hello theirs) {
        Conversation there = inUse.get(theirs.node());
        if (there != null) {
            return there.hello().process() != theirs.process();
        }
        long now = loop.now();
        for (Conversation other : inUse.values()) {
            PeerMessage.Digest digest = other.digests.get(theirs.node());
            if (digest != null
                    && digest.alive()
                    && digest.process() != 0
                    && digest.process() != theirs.process()
                    && digest.shard().incarnation() >= theirs.incarnation()
                    && digest.age() < settings.suspectAfter().toMillis()
                    && now - other.beatAt < 2 * settings.heartbeat().toNanos()) {
                return true;
            }
        }
        return false;
    }

    private void known(Conversation line, PeerMessage.Known known) {
        line.state = Conversation.State.OPEN;
        line.openSince = loop.now();
        membership.leadsTo(greetedBy(line));
        Conversation other = inUse.get(line.node());
        if (other == null) {
            use(line, known);
        } else if (other.hello().process() != line.hello().process()) {
            refuse(line, new PeerMessage.Refuse("duplicate", "two processes call themselves " + line.node()));
        } else if (known.alone()
                && loop.now() - other.openSince >= settings.heartbeat().toNanos()) {
            // The other side does not know the older line any more.
            use(line, known);
        } else if (line.isPreferred() && !other.isPreferred()) {
            use(line, known);
        } else if (line.isPreferred() != other.isPreferred() || line.dialled != null) {
            refuse(line, new PeerMessage.Refuse("redundant", "there is a line already"));
        } // else the other side, which dialled both, ends one
    }

    private static Membership.Greeted greetedBy(Conversation line) {
        PeerMessage.Hello theirs = line.hello();
        return new Membership.Greeted(
                theirs.node(),
                theirs.process(),
                theirs.incarnation(),
                theirs.advertised(),
                theirs.sessions(),
                line.dialled);
    }

    private void use(Conversation line, PeerMessage.Known known) {
        if (!membership.connected(greetedBy(line))) {
            refuse(line, new PeerMessage.Refuse("full", "there are too many nodes already"));
            return;
        }
        Conversation before = inUse.put(line.node(), line);
        if (before != null) {
            refuse(before, new PeerMessage.Refuse("redundant", "there is a better line"));
            events.outOfUse(before);
        }
        events.knownBy(line, known);
        events.inUse(line);
    }

    // ---- the end

    private void refuse(Conversation line, PeerMessage.Refuse refuse) {
        line.send(refuse);
        if (!refuse.code().equals("redundant")) {
            tally.refused(refuse.code());
            if (!refuse.code().equals("self")) {
                logOnce("refused the line from " + host(line.line.remote()) + ": " + refuse.text());
            }
        }
        afterRefusal(line, refuse);
    }

    /** Without the port, which is another with every try. */
    private static String host(String remote) {
        int colon = remote.lastIndexOf(':');
        return colon < 0 ? remote : remote.substring(0, colon);
    }

    /** They refuse us. */
    private void refused(Conversation line, PeerMessage.Refuse refuse) {
        if (!refuse.code().equals("redundant")) {
            tally.refused("by peer");
        }
        afterRefusal(line, refuse);
    }

    private void afterRefusal(Conversation line, PeerMessage.Refuse refuse) {
        boolean harmless = refuse.code().equals("redundant") || refuse.code().equals("self");
        line.inVain = !refuse.code().equals("redundant");
        end(
                line,
                harmless ? Optional.empty() : Optional.of("refused (" + refuse.code() + "): " + refuse.text()),
                List.of("cluster", "secret", "version").contains(refuse.code()));
    }

    private void logOnce(String text) {
        if (logged.size() >= MOST_LOGGED) {
            logged.clear();
        }
        if (logged.add(text)) {
            log.error("{}", text);
        }
    }

    /** The line has ended by itself. */
    void closed(PeerLine line, String reason) {
        Conversation conversation = conversations.get(line);
        if (conversation != null) {
            end(conversation, Optional.of(reason), false);
        }
    }

    /**
     * Ends a line.
     *
     * @param problem why; empty when it is not needed
     * @param forLong whether trying again soon would not help
     */
    void end(Conversation line, Optional<String> problem, boolean forLong) {
        if (line.state == Conversation.State.ENDED) {
            return;
        }
        line.state = Conversation.State.ENDED;
        conversations.remove(line.line);
        line.line.close();
        if (line.dialled != null) {
            membership.ended(line.dialled, problem, forLong, !line.inVain);
        }
        if (line.theirs == null || inUse.get(line.node()) != line) {
            return;
        }
        inUse.remove(line.node());
        Conversation other = null;
        for (Conversation each : conversations.values()) {
            if (each.isOpen() && each.node().equals(line.node())) {
                other = each;
            }
        }
        if (other != null) {
            inUse.put(other.node(), other);
            events.outOfUse(line);
            events.inUse(other);
            return;
        }
        membership.disconnected(line.node());
        events.outOfUse(line);
    }

    /** Ends the lines on which nothing came for too long. */
    void endSilent() {
        long now = loop.now();
        for (Conversation line : all()) {
            long since = line.isOpen() ? line.heard : line.openedAt;
            if (now - since > settings.suspectAfter().toNanos()) {
                line.inVain = true;
                end(
                        line,
                        Optional.of((line.isOpen() ? "silent for " : "no greeting within ")
                                + settings.suspectAfter().toMillis() + " ms"),
                        false);
            }
        }
    }

    /** This node itself stood still: what came meanwhile has not been looked at yet. */
    void excuseSilence() {
        conversations.values().forEach(line -> line.heard = loop.now());
    }
}
