package io.mooring.server.membership;

import io.mooring.runtime.EventLoop;
import io.mooring.runtime.Timer;
import io.mooring.server.restore.Storage;
import io.mooring.server.shard.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who the other nodes are, where they are, and whether they are there.
 *
 * <p>A node is its name; addresses lead to nodes and may change. Every address that is configured or that other members
 * tell is dialled as long as no line leads to the node behind it; those remembered from an earlier life, as long as no
 * line leads anywhere.
 *
 * <p>A member is there while a line leads to it, or while a connected one that has such a line, or knows one that
 * has, vouches for it. Confined to the event loop.
 */
public final class Membership {
    private static final Logger log = LoggerFactory.getLogger(Membership.class);
    private static final int MOST_MEMBERS = 64;
    private static final int MOST_ADDRESSES = 128;
    private static final Duration FIRST_RETRY = Duration.ofMillis(250);
    private static final Duration LONG_RETRY = Duration.ofSeconds(15);
    private static final Duration SHOW_PROBLEM = Duration.ofMinutes(1);

    private final ClusterSettings settings;
    private final NodeId self;
    private final EventLoop loop;
    private final RandomGenerator random;
    private final PeerDialer dialer;
    private final RememberedPeers remembered;
    private final BiConsumer<PeerLine, String> dialled;
    private final LinkedHashMap<String, Address> addresses = new LinkedHashMap<>();
    private final TreeMap<NodeId, Member> members = new TreeMap<>();
    private @Nullable Timer timer;
    private long timerDue;
    private boolean running;
    private Outlook outlook = new Outlook(List.of(), List.of(), false);

    /** What others go by; told when it changes. */
    private record Outlook(List<NodeId> alive, List<String> sessionAddresses, boolean isolated) {}

    /**
     * How far the copy of a member's shard is.
     *
     * @param via through whom it is followed; empty when directly or not at all
     */
    public record Progress(long incarnation, long revision, int instances, String via) {}

    /**
     * A node that has proven itself on a line.
     *
     * @param address at which this node dialled it; null when it dialled
     */
    public record Greeted(
            NodeId node,
            long process,
            long incarnation,
            String advertised,
            String sessions,
            @Nullable String address) {}

    /** @param dialled takes a line that was opened, and the address it leads to */
    public Membership(
            ClusterSettings settings,
            NodeId self,
            EventLoop loop,
            RandomGenerator random,
            PeerDialer dialer,
            Optional<Storage> storage,
            BiConsumer<PeerLine, String> dialled) {
        this.settings = settings;
        this.self = self;
        this.loop = loop;
        this.random = random;
        this.dialer = dialer;
        this.dialled = dialled;
        remembered = new RememberedPeers(storage);
        remembered.all().values().forEach(peer -> {
            if (Address.isValid(peer.address())) {
                Address address = address(peer.address());
                address.remembered = true;
                address.node = peer.name();
            }
        });
        configured(settings.addresses());
        outlook = outlookNow();
    }

    public void start() {
        running = true;
        arm();
    }

    /** Dials nobody any more. */
    public void stop() {
        running = false;
    }

    // ---- addresses

    /** The addresses that are configured from now on; malformed ones are passed over, loudly. */
    public void configured(List<String> configured) {
        addresses.values().forEach(address -> address.configured = false);
        for (String text : configured) {
            if (Address.isValid(text)) {
                Address address = address(text);
                address.configured = true;
                address.notBefore = address.busy || address.failures > 0 ? address.notBefore : loop.now();
            } else {
                log.error("peer address: {} (expected: host:port); it is passed over", text);
            }
        }
        addresses.values().removeIf(a -> !a.configured && !a.learned && !a.remembered && !a.busy);
        arm();
    }

    /** Addresses that a member told. */
    public void learned(List<String> told) {
        boolean fresh = false;
        for (String text : told) {
            Address there = addresses.get(text);
            if (there == null) {
                if (!Address.isValid(text) || addresses.size() >= MOST_ADDRESSES && !makeRoomForAddress()) {
                    continue;
                }
                there = address(text);
            }
            fresh |= !there.learned;
            there.learned = true;
        }
        if (fresh) {
            arm();
        }
    }

    /** The address that was tried in vain most often goes. */
    private boolean makeRoomForAddress() {
        Address worst = null;
        for (Address address : addresses.values()) {
            boolean isNeeded = address.configured || address.busy || address.failures == 0;
            if (!isNeeded && (worst == null || address.failures > worst.failures)) {
                worst = address;
            }
        }
        return worst != null && addresses.remove(worst.text) != null;
    }

    private Address address(String text) {
        return addresses.computeIfAbsent(text, t -> new Address(t, loop.now()));
    }

    /** The members' addresses, for others; proven ones only. */
    public List<String> known() {
        List<String> out = new ArrayList<>();
        for (Member member : members.values()) {
            String address = member.connected ? whereabouts(member) : "";
            if (!address.isEmpty()) {
                out.add(address);
            }
        }
        if (!settings.advertised().isEmpty()) {
            out.add(settings.advertised());
        }
        return out;
    }

    private String whereabouts(Member member) {
        if (!member.advertised.isEmpty()) {
            return member.advertised;
        }
        for (Address address : addresses.values()) {
            if (member.name.equals(address.node)) {
                return address.text;
            }
        }
        return "";
    }

    // ---- dialling

    private boolean isWanted(Address address, boolean anyone) {
        if (address.busy || !(address.configured || address.learned || address.remembered && !anyone)) {
            return false;
        }
        Member member = address.node == null ? null : members.get(address.node);
        return member == null || !member.connected;
    }

    private boolean isAnyoneConnected() {
        return members.values().stream().anyMatch(member -> member.connected);
    }

    /** Sets the timer to the next address that is to be dialled. */
    private void arm() {
        if (!running) {
            return;
        }
        boolean anyone = isAnyoneConnected();
        boolean any = false;
        long due = 0;
        for (Address address : addresses.values()) {
            if (isWanted(address, anyone) && (!any || address.notBefore - due < 0)) {
                any = true;
                due = address.notBefore;
            }
        }
        if (!any || timer != null && timerDue - due <= 0) {
            return;
        }
        if (timer != null) {
            timer.cancel();
        }
        timerDue = due;
        timer = loop.schedule(Duration.ofNanos(due - loop.now()), this::dialDue);
    }

    private void dialDue() {
        timer = null;
        long now = loop.now();
        boolean anyone = isAnyoneConnected();
        for (Address address : List.copyOf(addresses.values())) {
            if (running && isWanted(address, anyone) && now - address.notBefore >= 0) {
                dial(address);
            }
        }
        arm();
    }

    private void dial(Address address) {
        address.busy = true;
        dialer.dial(
                address.text,
                line -> dialled.accept(line, address.text),
                why -> ended(address.text, Optional.of(why), false, false));
    }

    /**
     * A line that was dialled has ended, or was never opened.
     *
     * @param problem why; empty when there is nothing wrong with it
     * @param forLong whether trying again soon would not help
     * @param isThere whether somebody has answered there, and nothing speaks against the next line to him
     */
    public void ended(String text, Optional<String> problem, boolean forLong, boolean isThere) {
        Address address = addresses.get(text);
        if (address == null) {
            return;
        }
        address.busy = false;
        address.tried |= !isThere;
        if (problem.isEmpty()) {
            address.failures = 0;
        } else {
            if (!problem.get().equals(address.problem)) {
                log.warn("no line to the peer at {}: {}", text, problem.get());
            }
            address.problem = problem.get();
            address.failures++;
        }
        address.notBefore = loop.now() + pause(address, forLong);
        if (!address.configured && !address.learned && !address.remembered) {
            addresses.remove(text);
        }
        arm();
    }

    /** Doubles up to a bound, and is drawn from its upper half. */
    private long pause(Address address, boolean forLong) {
        Member member = address.node == null ? null : members.get(address.node);
        boolean unlikely = !address.configured && (member == null || state(member) == PeerStatus.State.GONE);
        long most = (forLong || address.self || unlikely ? LONG_RETRY : settings.heartbeat()).toNanos();
        long full = forLong || address.self
                ? most
                : Math.min(most, FIRST_RETRY.toNanos() << Math.min(10, address.failures));
        return full / 2 + random.nextLong(full / 2 + 1);
    }

    /** That address leads back to this node. */
    public void leadsHome(String text) {
        Address address = addresses.get(text);
        if (address != null) {
            address.self = true;
            address.node = null;
        }
    }

    // ---- members

    /** @return null when there are too many */
    private @Nullable Member member(NodeId name) {
        Member there = members.get(name);
        if (there != null || members.size() >= MOST_MEMBERS && !makeRoom()) {
            return there;
        }
        Member fresh = new Member(name, loop.now());
        RememberedPeers.Peer before = remembered.all().get(name);
        if (before != null) {
            fresh.incarnation = before.incarnation();
            fresh.process = before.process();
        }
        members.put(name, fresh);
        return fresh;
    }

    private boolean makeRoom() {
        Member oldest = null;
        for (Member member : members.values()) {
            if (state(member) == PeerStatus.State.GONE && (oldest == null || member.lostSince - oldest.lostSince < 0)) {
                oldest = member;
            }
        }
        return oldest != null && members.remove(oldest.name) != null;
    }

    /** Of whom an earlier life knew: missed from the start. */
    public void expected(NodeId name) {
        member(name);
    }

    /** A first line leads to that node. @return false when there are too many */
    public boolean connected(Greeted greeted) {
        Member member = member(greeted.node());
        if (member == null) {
            return false;
        }
        member.process = greeted.process();
        member.incarnation = greeted.incarnation();
        member.advertised = Address.isValid(greeted.advertised()) ? greeted.advertised() : "";
        member.sessionAddress = Address.isValid(greeted.sessions()) ? greeted.sessions() : "";
        member.connected = true;
        member.left = false;
        member.draining = false;
        member.vouches.clear();
        member.problem = null;
        heard(greeted.node());
        leadsTo(greeted);
        remember(member);
        return true;
    }

    /** Never a lower incarnation than what is known already: that peer has forgotten its past, and is to be told. */
    private void remember(Member member) {
        String where = whereabouts(member);
        RememberedPeers.Peer before = remembered.all().get(member.name);
        if (where.isEmpty()) {
            return;
        }
        if (before != null && before.incarnation() > member.incarnation) {
            remembered.remember(new RememberedPeers.Peer(member.name, before.incarnation(), before.process(), where));
        } else {
            remembered.remember(new RememberedPeers.Peer(member.name, member.incarnation, member.process, where));
        }
    }

    /** Who answers at an address, also when the line is one too many. */
    public void leadsTo(Greeted greeted) {
        for (String text : new String[] {greeted.address(), greeted.advertised()}) {
            Address address = text == null ? null : addresses.get(text);
            if (address != null) {
                address.node = greeted.node();
                address.self = false;
                address.tried = true;
                address.failures = 0;
                if (address.problem != null) {
                    log.info("the peer at {} is {}", text, greeted.node());
                }
                address.problem = null;
            }
        }
    }

    public void heard(NodeId name) {
        Member member = members.get(name);
        if (member != null) {
            member.heard = loop.now();
            member.everHeard = true;
        }
    }

    /** What a connected member says of itself. */
    public void said(NodeId name, long incarnation, int sessions, boolean starting, boolean draining) {
        Member member = members.get(name);
        if (member != null) {
            if (starting && !member.starting) {
                member.startingSince = loop.now();
            }
            if (incarnation > member.incarnation) {
                member.incarnation = incarnation;
                remember(member);
            }
            member.sessions = sessions;
            member.starting = starting;
            member.draining = draining;
        }
    }

    /** It will be gone when its line closes. */
    public void leaving(NodeId name) {
        Member member = members.get(name);
        if (member != null) {
            member.left = true;
            member.draining = true;
        }
    }

    /** No line leads to that node any more. */
    public void disconnected(NodeId name) {
        Member member = members.get(name);
        if (member == null) {
            return;
        }
        member.connected = false;
        member.starting = false;
        members.values().forEach(other -> other.vouches.remove(name));
        long soon = loop.now() + random.nextLong(FIRST_RETRY.toNanos());
        for (Address address : addresses.values()) {
            if (name.equals(address.node)) {
                address.failures = 0;
                address.notBefore = soon;
            }
        }
        arm();
    }

    /**
     * A connected member's word on another node.
     *
     * @param process which of its lives is meant; 0 if unknown
     * @param age how long ago, in milliseconds, that node was heard
     */
    public void reported(NodeId by, NodeId name, long process, boolean isAlive, long age) {
        Member member = name.equals(self) ? null : member(name);
        if (member == null || member.connected) {
            return;
        }
        long until = loop.now()
                - Duration.ofMillis(age).toNanos()
                + settings.suspectAfter().toNanos()
                + 2 * settings.heartbeat().toNanos();
        if (isAlive && !member.left && until - loop.now() > 0) {
            member.vouches.put(by, new Member.Vouch(process, until));
        } else {
            member.vouches.remove(by);
        }
    }

    /** Something is wrong with a line that a node with that name opened. */
    public void refused(NodeId name, String problem) {
        Member member = members.get(name);
        if (member != null) {
            member.problem = problem;
            member.problemAt = loop.now();
        }
    }

    /** Looks at the time. @return whether who is there, where sessions may go or {@link #isolated} has changed */
    public boolean review() {
        long now = loop.now();
        for (Member member : members.values()) {
            member.vouches.values().removeIf(vouch -> vouch.until() - now <= 0);
            boolean isAlive = member.connected || !member.vouches.isEmpty();
            if (member.alive && !isAlive) {
                member.lostSince = now;
                if (running) { // otherwise it is this node that leaves
                    log.warn("node {} is lost: {}", member.name, member.left ? "it left" : "no line leads to it");
                }
            } else if (isAlive && !member.alive) {
                log.info("node {} is there{}", member.name, member.connected ? "" : ", as others say");
            }
            member.alive = isAlive;
        }
        Outlook next = outlookNow();
        boolean changed = !next.equals(outlook);
        if (running && next.isolated && !outlook.isolated) {
            isolated().ifPresent(why -> log.warn("this node is isolated: {}", why));
        }
        outlook = next;
        return changed;
    }

    private Outlook outlookNow() {
        return new Outlook(alive(), sessionAddresses(), isolated().isPresent());
    }

    // ---- questions

    public boolean isAlive(NodeId name) {
        Member member = members.get(name);
        return member != null && member.alive;
    }

    /**
     * Whether that life of the node is there. One that has restarted is there, but does not vouch for what it had before.
     *
     * @param process 0 if unknown: any will do
     */
    public boolean isAlive(NodeId name, long process) {
        Member member = members.get(name);
        if (member == null || !member.alive || process == 0) {
            return member != null && member.alive;
        }
        return member.connected
                ? member.process == process
                : member.vouches.values().stream().anyMatch(vouch -> isOf(vouch.process(), process));
    }

    /** Since when that node is missed; empty when it is there or was never known. */
    public OptionalLong lostSince(NodeId name) {
        Member member = members.get(name);
        return member == null || member.alive ? OptionalLong.empty() : OptionalLong.of(member.lostSince);
    }

    private static boolean isOf(long told, long process) {
        return told == 0 || process == 0 || told == process;
    }

    /**
     * How long ago that life of the node was heard, in milliseconds, as far as this node knows.
     *
     * @param process 0 if unknown: any will do
     */
    public long age(NodeId name, long process) {
        Member member = members.get(name);
        if (member == null) {
            return 0xffff_ffffL;
        }
        long now = loop.now();
        long age = member.everHeard && isOf(member.process, process) ? now - member.heard : Long.MAX_VALUE;
        long slack =
                settings.suspectAfter().toNanos() + 2 * settings.heartbeat().toNanos();
        for (Member.Vouch vouch : member.vouches.values()) {
            if (isOf(vouch.process(), process)) { // what is said of another life keeps no rumour of this one alive
                age = Math.min(age, now - vouch.until() + slack);
            }
        }
        return Math.min(0xffff_ffffL, Math.max(0, age / 1_000_000));
    }

    /** The highest incarnation that is known of, from the disk or since; 0 if none. */
    public long incarnation(NodeId name) {
        Member member = members.get(name);
        RememberedPeers.Peer before = remembered.all().get(name);
        return Math.max(member == null ? 0 : member.incarnation, before == null ? 0 : before.incarnation());
    }

    /** The process that was seen to write that incarnation; 0 if unknown. */
    public long process(NodeId name, long incarnation) {
        Member member = members.get(name);
        if (member != null && member.incarnation == incarnation) {
            return member.process;
        }
        RememberedPeers.Peer before = remembered.all().get(name);
        return before != null && before.incarnation() == incarnation ? before.process() : 0;
    }

    /** This node and the others that are there, in order. */
    public List<NodeId> alive() {
        List<NodeId> out = new ArrayList<>();
        out.add(self);
        members.values().stream().filter(member -> member.alive).forEach(member -> out.add(member.name));
        out.sort(null);
        return List.copyOf(out);
    }

    /** Where sessions may go instead of here. */
    public List<String> sessionAddresses() {
        return members.values().stream()
                .filter(member -> member.alive && !member.draining && !member.left && !member.sessionAddress.isEmpty())
                .map(member -> member.sessionAddress)
                .toList();
    }

    public Map<NodeId, Integer> sessions() {
        Map<NodeId, Integer> out = new TreeMap<>();
        members.values().stream()
                .filter(member -> member.connected)
                .forEach(member -> out.put(member.name, member.sessions));
        return out;
    }

    /** That fewer than half of the configured peers are there; empty otherwise, and when none is configured. */
    public Optional<String> isolated() {
        Set<Object> peers = new HashSet<>(); // by their names, or else their addresses
        Set<NodeId> seen = new HashSet<>();
        for (Address address : addresses.values()) {
            if (address.configured && !address.self && !address.text.equals(settings.advertised())) {
                NodeId node = address.node;
                peers.add(node == null ? address.text : node);
                if (node != null && isAlive(node)) {
                    seen.add(node);
                }
            }
        }
        return 2 * seen.size() >= peers.size()
                ? Optional.empty()
                : Optional.of("it sees " + seen.size() + " of " + peers.size()
                        + " configured peers (expected: at least half)");
    }

    /**
     * Whether every configured address has been tried. Of a node that nobody has told any, those that it remembers; and one
     * that remembers none either has to wait until somebody comes, because it cannot know whether it is alone.
     */
    public boolean hasTriedAll() {
        List<Address> expected = addresses.values().stream()
                .filter(address -> address.configured)
                .toList();
        if (expected.isEmpty()) {
            expected = addresses.values().stream()
                    .filter(address -> address.remembered)
                    .toList();
        }
        return expected.isEmpty()
                ? settings.isAlone() || isAnyoneConnected()
                : expected.stream().allMatch(address -> address.tried);
    }

    /** Since when a node is missed that is not given up yet, or a connected one has not caught up; empty if neither. */
    public OptionalLong uncertainSince() {
        OptionalLong since = OptionalLong.empty();
        for (Member member : members.values()) {
            boolean missed = state(member) == PeerStatus.State.SUSPECT;
            if (missed || member.connected && member.starting) {
                long at = missed ? member.lostSince : member.startingSince;
                since = since.isEmpty() || at - since.getAsLong() < 0 ? OptionalLong.of(at) : since;
            }
        }
        return since;
    }

    private PeerStatus.State state(Member member) {
        if (member.alive) {
            return PeerStatus.State.ALIVE;
        }
        return loop.now() - member.lostSince < settings.goneAfter().toNanos()
                ? PeerStatus.State.SUSPECT
                : PeerStatus.State.GONE;
    }

    /** Members by name, then addresses at which nobody has answered. */
    public List<PeerStatus> statuses(Function<NodeId, Progress> progressOf) {
        List<PeerStatus> out = new ArrayList<>();
        for (Member member : members.values()) {
            Progress progress = progressOf.apply(member.name);
            out.add(new PeerStatus(
                    member.name.name(),
                    whereabouts(member),
                    isMissed(member) ? state(member) : PeerStatus.State.LEFT,
                    member.everHeard ? Optional.of(Duration.ofNanos(loop.now() - member.heard)) : Optional.empty(),
                    progress.incarnation(),
                    progress.revision(),
                    progress.instances(),
                    progress.via(),
                    problem(member)));
        }
        for (Address address : addresses.values()) {
            boolean isShown = address.node != null && members.containsKey(address.node);
            if (!isShown && !address.self) {
                out.add(new PeerStatus(
                        "",
                        address.text,
                        PeerStatus.State.UNKNOWN,
                        Optional.empty(),
                        0,
                        0,
                        0,
                        "",
                        Optional.ofNullable(address.problem)));
            }
        }
        return out;
    }

    /** Not so once it has said goodbye, is gone, and nobody expects it any more: the cluster has become smaller. */
    private boolean isMissed(Member member) {
        return !member.left
                || state(member) != PeerStatus.State.GONE
                || addresses.values().stream()
                        .anyMatch(address -> address.configured && member.name.equals(address.node));
    }

    private Optional<String> problem(Member member) {
        if (member.problem != null && loop.now() - member.problemAt < SHOW_PROBLEM.toNanos()) {
            return Optional.of(member.problem);
        }
        return member.connected ? Optional.empty() : addressProblem(member.name, addresses.values());
    }

    private static Optional<String> addressProblem(NodeId name, Collection<Address> all) {
        return all.stream()
                .filter(address -> name.equals(address.node))
                .flatMap(address -> Optional.ofNullable(address.problem).stream())
                .findFirst();
    }
}
