package io.mooring.server.config;

import io.mooring.server.node.RegistryNode;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Told to stop, a node of a cluster first hands its sessions over to the others, while all its ports still serve. By then
 * Spring Boot has made the node unready. A node by itself just stops: there is nowhere to go.
 */
final class Drain extends AtStop {
    private static final Logger log = LoggerFactory.getLogger(Drain.class);

    /** For the goodbye to the peers. */
    private static final Duration AND_THEN = Duration.ofSeconds(2);

    private final Core core;
    private final MooringProperties.Drain properties;

    Drain(Core core, MooringProperties.Drain properties) {
        super(Integer.MAX_VALUE); // nothing ends before this has
        this.core = core;
        this.properties = properties;
    }

    @Override
    void atStop() {
        if (core.cluster().isEmpty()) {
            return;
        }
        RegistryNode node = core.node();
        CountDownLatch gone = new CountDownLatch(1);
        log.info("Leaving the cluster: sessions are asked to go to other nodes");
        node.loop().execute(() -> node.drain(properties.within(), properties.patience(), gone::countDown));
        try {
            long most = properties.patience().plus(AND_THEN).toMillis();
            if (!gone.await(most, TimeUnit.MILLISECONDS)) {
                log.warn("The core did not finish leaving within {} ms; stopping all the same", most);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
