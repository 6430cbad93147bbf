package io.mooring.server.shard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.mooring.model.Instance;
import io.mooring.model.ServiceKey;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShardTest {
    private final Shard shard = new Shard(new ShardId(new NodeId("n1"), 1));

    private static Registration of(String service, int port, long generation) {
        Publisher publisher = Publisher.ofLease("p", LeaseTerms.of(Duration.ofSeconds(15)));
        return new Registration(Instance.of(ServiceKey.of(service), "10.0.0.1", port), publisher, generation, false);
    }

    private List<String> registrations() {
        return shard.registrations().stream()
                .map(each -> each.id().service().name() + " " + each.id().port() + " " + each.generation())
                .toList();
    }

    @Test
    void itsRegistrationsComeServiceByServiceInTheOrderInWhichTheyCame() {
        for (Registration each : List.of(of("b", 2, 1), of("a", 1, 1), of("b", 1, 1), of("a", 2, 1), of("b", 2, 7))) {
            shard.put(each);
        }
        assertEquals(List.of("b 2 7", "b 1 1", "a 1 1", "a 2 1"), registrations());
        assertEquals(4, shard.size());
        assertEquals(4, shard.registrations().size());
    }

    @Test
    void whatLeavesLeavesNothingBehind() {
        long empty = shard.checksum();
        shard.put(of("a", 1, 1));
        shard.put(of("b", 1, 1));
        long both = shard.checksum();
        assertEquals(of("a", 1, 1), shard.remove(of("a", 1, 1).id()));
        assertNull(shard.remove(of("a", 1, 1).id()), "twice");
        assertNull(shard.remove(of("nobody", 1, 1).id()));
        assertEquals(List.of("b 1 1"), registrations());
        assertEquals(1, shard.size());
        shard.put(of("a", 1, 1));
        assertEquals(both, shard.checksum());
        shard.remove(of("a", 1, 1).id());
        shard.remove(of("b", 1, 1).id());
        assertEquals(List.of(), registrations());
        assertEquals(0, shard.size());
        assertEquals(empty, shard.checksum());
    }
}
