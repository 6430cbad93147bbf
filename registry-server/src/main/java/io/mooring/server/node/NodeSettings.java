package io.mooring.server.node;

import io.mooring.model.InvalidValueException;
import io.mooring.server.lease.LeaseSettings;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.protection.ProtectionSettings;
import io.mooring.server.shard.NodeId;
import java.time.Duration;

/**
 * How a node behaves.
 *
 * @param self its name
 * @param lease leases and limits
 * @param protection when removals are held
 * @param diskPatience how long telling waits for the disk before it goes ahead
 * @param durableOnly whether registrations are refused while the disk cannot be written
 * @param cluster its peers
 */
public record NodeSettings(
        NodeId self,
        LeaseSettings lease,
        ProtectionSettings protection,
        Duration diskPatience,
        boolean durableOnly,
        ClusterSettings cluster) {
    /** @throws InvalidValueException when no node may be called so */
    public NodeSettings {
        if (self.isReserved()) {
            throw new InvalidValueException("node name", self.name(), "another, this one is taken");
        }
    }

    public static NodeSettings defaults(String name) {
        return new NodeSettings(
                new NodeId(name),
                LeaseSettings.DEFAULTS,
                ProtectionSettings.DEFAULTS,
                Duration.ofMillis(50),
                false,
                ClusterSettings.ALONE);
    }
}
