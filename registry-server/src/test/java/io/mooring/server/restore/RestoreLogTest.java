package io.mooring.server.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.LeaseTerms;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Publisher;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** C3 for the node: whatever happens to the file, a whole earlier state comes back, never a mixture. */
class RestoreLogTest {
    private static final ServiceKey SERVICE = ServiceKey.of("orders");
    private static final NodeId SELF = new NodeId("n1");
    private static final ShardId SHARD = new ShardId(SELF, 1);
    private static final Burial GOODBYE = new Burial("1234567890abcdef", 100, RemovalCause.DEREGISTERED, 3);

    private final VirtualTime time = new VirtualTime(0);
    private final VirtualTime.Loop loop = time.loop("node");
    private final MemoryStorage disk = new MemoryStorage(loop);
    private final Map<InstanceId, Registration> registered = new HashMap<>();
    private Shard own = new Shard(SHARD);
    private long revision;

    @BeforeEach
    void quiet() {
        assertEquals(0, disk.used());
    }

    private RestoreLog open() throws IOException {
        RestoreLog.Restored restored = RestoreLog.read(disk, SELF);
        registered.clear();
        restored.own().forEach(r -> registered.put(r.id(), r));
        own = new Shard(new ShardId(SELF, restored.incarnation() + 1));
        restored.burials().forEach((instance, burial) -> own.bury(instance, burial.remembered()));
        return new RestoreLog(
                disk,
                loop,
                restored.incarnation() + 1,
                Map.of(new ShardId(SELF, restored.incarnation()), restored.own()),
                () -> own,
                restored::heard,
                () -> registered.keySet().stream()
                        .map(id -> new RestoreLog.Place(SHARD, id))
                        .toList(),
                (shard, id) -> registered.get(id));
    }

    private Change put(int port, double weight) {
        Instance instance = Instance.of(SERVICE, "10.0.0.1", port)
                .withWeight(weight)
                .withMetadata(Map.of("zone", "a", "text", "ü".repeat(port % 50)));
        Registration registration = new Registration(
                instance, Publisher.ofLease("1234567890abcdef", LeaseTerms.of(Duration.ofSeconds(20))), 1, false);
        registered.put(registration.id(), registration);
        return new Change.Granted(SHARD, ++revision, registration);
    }

    private Change remove(int port) {
        InstanceId id = Instance.of(SERVICE, "10.0.0.1", port).id();
        registered.remove(id);
        own.bury(id, GOODBYE);
        return new Change.Removed(SHARD, ++revision, new Removal(id, RemovalCause.DEREGISTERED), GOODBYE, "test");
    }

    private void write(RestoreLog log, Change... changes) {
        loop.run(() -> log.append(List.of(changes), () -> {}));
        time.runFor(Duration.ofMillis(1));
    }

    private Set<Registration> restored() throws IOException {
        return new HashSet<>(RestoreLog.read(disk, SELF).own());
    }

    @Test
    void aCopyThatArrivedBehindItsRemovalIsNotRestored() throws IOException {
        RestoreLog log = open();
        Change.Granted here = (Change.Granted) put(1, 1);
        ShardId other = new ShardId(new NodeId("other"), 3);
        write(log, here, remove(1));
        write(log, new Change.Granted(other, 7, here.registration()));
        assertEquals(Map.of(), copies());
        write(open(), new Change.Granted(other, 7, here.registration()));
        assertEquals(Map.of(), copies());
        Publisher earlier = here.registration().publisher();
        Publisher back = Publisher.ofSession(earlier.id(), GOODBYE.attempt(), earlier.terms());
        Change.Granted late = new Change.Granted(other, 8, above(here, earlier));
        write(open(), late);
        assertEquals(Map.of(), copies(), "said before the goodbye, and granted above it");
        write(open(), new Change.Granted(other, 9, above(here, back)));
        assertEquals(1, copies().size());
    }

    private static Registration above(Change.Granted there, Publisher publisher) {
        return new Registration(there.registration().instance(), publisher, GOODBYE.generation() + 1, false);
    }

    private Map<InstanceId, Registration> copies() throws IOException {
        Map<InstanceId, Registration> copies = new HashMap<>();
        RestoreLog.read(disk, SELF).replicas().values().forEach(all -> all.forEach(r -> copies.put(r.id(), r)));
        return copies;
    }

    @Test
    void whatWasWrittenComesBack() throws IOException {
        RestoreLog log = open();
        write(log, put(1, 1), put(2, 0.25));
        write(log, remove(1), put(3, 7));
        assertEquals(new HashSet<>(registered.values()), restored());
        open();
        assertEquals(new HashSet<>(registered.values()), restored());
        assertEquals(2, RestoreLog.read(disk, SELF).incarnation());
    }

    @Test
    void removalsThatWereSaidAreRememberedOverRestarts() throws IOException {
        RestoreLog log = open();
        write(log, put(1, 1), put(2, 1));
        write(log, remove(1));
        Map<InstanceId, Burial> said =
                Map.of(Instance.of(SERVICE, "10.0.0.1", 1).id(), GOODBYE);
        assertEquals(said, RestoreLog.read(disk, SELF).burials());
        for (int restart = 0; restart < 3; restart++) {
            open();
            assertEquals(
                    Map.of(Instance.of(SERVICE, "10.0.0.1", 1).id(), GOODBYE.remembered()),
                    RestoreLog.read(disk, SELF).burials());
            assertEquals(new HashSet<>(registered.values()), restored());
        }
    }

    @Test
    void c3TruncatedOrFlippedAtAnyByteGivesAWholeEarlierState() throws IOException {
        RestoreLog log = open();
        Set<Set<Registration>> states = new HashSet<>();
        states.add(Set.of());
        for (int i = 1; i <= 6; i++) {
            write(log, put(i, i), i > 3 ? remove(i - 3) : put(i + 100, 1));
            states.add(new HashSet<>(registered.values()));
        }
        String name = disk.names().get(0);
        byte[] whole = disk.contents().get(name);
        int distinct = 0;
        for (int offset = 0; offset < whole.length; offset++) {
            disk.overwrite(name, Arrays.copyOf(whole, offset));
            assertTrue(states.contains(restored()), "truncated at " + offset);
            byte[] flipped = whole.clone();
            flipped[offset] ^= (byte) (1 << offset % 8);
            disk.overwrite(name, flipped);
            Set<Registration> found = restored();
            assertTrue(states.contains(found), "flipped at " + offset + ": " + found);
            distinct += found.isEmpty() ? 0 : 1;
        }
        assertTrue(distinct > whole.length / 2, "most damage leaves most of it: " + distinct);
    }

    @Test
    void aLogThatGrewLongIsRewrittenWhileChangesGoOn() throws IOException {
        RestoreLog log = open();
        write(log, remove(9_999));
        String big = "x".repeat(8_000);
        for (int round = 0; round < 12; round++) {
            List<Change> changes = new ArrayList<>();
            for (int i = 1; i <= 1_100; i++) {
                InstanceId id = Instance.of(SERVICE, "10.0.0.1", i).id();
                Registration registration = new Registration(
                        Instance.of(SERVICE, "10.0.0.1", i).withMetadata(Map.of("r", round + big.substring(0, 6_000))),
                        Publisher.ofLease("1234567890abcdef", LeaseTerms.of(Duration.ofSeconds(20))),
                        round,
                        false);
                registered.put(id, registration);
                changes.add(new Change.Granted(SHARD, ++revision, registration));
            }
            loop.run(() -> log.append(changes, () -> {}));
            write(log, put(5_000 + round, 1));
        }
        time.runFor(Duration.ofSeconds(1));
        assertEquals(1, disk.names().size(), disk.names().toString());
        assertFalse(disk.names().get(0).endsWith("-0.log"), disk.names().toString());
        assertTrue(disk.used() < 24L << 20, "rewritten: " + disk.used());
        assertEquals(own.burials(), RestoreLog.read(disk, SELF).burials());
        assertEquals(new HashSet<>(registered.values()), restored());
    }

    @Test
    void aLargeTurnIsToldAtOnceAndWrittenAsANewFile() throws IOException {
        RestoreLog log = open();
        write(log, put(1, 1));
        Set<Registration> before = new HashSet<>(registered.values());
        disk.slow(Duration.ofMillis(1));
        boolean[] told = {false};
        loop.run(() -> log.append(largeTurn(0), () -> told[0] = true));
        assertTrue(told[0], "the disk would have been waited for");
        assertEquals(before, restored(), "the file in use is whole without it");
        time.runFor(Duration.ofMillis(1));
        assertEquals(Duration.ofMillis(1), log.age(), "the disk lags behind what was told");
        assertFalse(log.isStuckFor(Duration.ofMillis(1)), "what comes next may wait for the disk");
        write(log, put(60_000, 1)); // between the pages of the new file
        time.runFor(Duration.ofSeconds(1));
        assertEquals(new HashSet<>(registered.values()), restored());
        assertTrue(log.problem().isEmpty());
        assertEquals(Duration.ZERO, log.age());
        assertEquals(1, disk.names().size(), disk.names().toString());
    }

    @Test
    void aLargeTurnThatComesWhileTheFileIsBegunAnewIsWrittenBehindThat() throws IOException {
        RestoreLog log = open();
        loop.run(() -> log.append(largeTurn(0), () -> {}));
        loop.run(() -> log.append(largeTurn(1), () -> {}));
        time.runFor(Duration.ofSeconds(1));
        assertEquals(2 * RestoreLog.LARGE_TURN, registered.size());
        assertEquals(new HashSet<>(registered.values()), restored());
    }

    @Test
    void aLargeTurnOfWhatIsNotForTheDiskWritesNothing() throws IOException {
        RestoreLog log = open();
        List<String> names = disk.names();
        List<Change> standing = new ArrayList<>();
        for (Change change : largeTurn(0)) {
            Registration suspect = ((Change.Granted) change).registration().doubted(true, false);
            standing.add(new Change.Granted(SHARD, change.revision(), suspect, true));
        }
        loop.run(() -> log.append(standing, () -> {}));
        time.runFor(Duration.ofSeconds(1));
        assertEquals(names, disk.names());
        assertEquals(Set.of(), restored());
    }

    @Test
    void aLargeTurnIsWrittenInTheEndThoughTheDiskWasFull() throws IOException {
        RestoreLog log = open();
        disk.capacity(disk.used() + 1_000_000);
        loop.run(() -> log.append(largeTurn(0), () -> {}));
        time.runFor(Duration.ofSeconds(1));
        assertTrue(disk.failures > 0, "the fault must have taken effect");
        disk.capacity(Long.MAX_VALUE);
        time.runFor(Duration.ofSeconds(6));
        assertEquals(new HashSet<>(registered.values()), restored());
        assertEquals(Duration.ZERO, log.age());
    }

    /** @param host another one for other instances */
    private List<Change> largeTurn(int host) {
        List<Change> changes = new ArrayList<>();
        for (int i = 0; i < RestoreLog.LARGE_TURN; i++) {
            Instance instance = Instance.of(SERVICE, "10." + host + ".1." + i / 60_000, i % 60_000);
            Publisher publisher = Publisher.ofLease("1234567890abcdef", LeaseTerms.of(Duration.ofSeconds(20)));
            Registration registration = new Registration(instance, publisher, 1, false);
            registered.put(registration.id(), registration);
            changes.add(new Change.Granted(SHARD, ++revision, registration));
        }
        return changes;
    }

    @Test
    void aFullDiskLosesNothingThatWasWrittenAndRecoversByItself() throws IOException {
        RestoreLog log = open();
        write(log, put(1, 1));
        Set<Registration> written = new HashSet<>(registered.values());
        disk.capacity(disk.used() + 10);
        write(log, put(2, 1));
        assertTrue(log.problem().isPresent());
        assertTrue(disk.failures > 0, "the fault must have taken effect");
        assertEquals(written, restored());
        time.runFor(Duration.ofSeconds(20));
        assertEquals(written, restored(), "retries on a full disk harm nothing");
        disk.capacity(Long.MAX_VALUE);
        time.runFor(Duration.ofSeconds(6));
        assertTrue(log.problem().isEmpty());
        assertEquals(new HashSet<>(registered.values()), restored());
        write(log, put(3, 1));
        assertEquals(new HashSet<>(registered.values()), restored());
    }
}
