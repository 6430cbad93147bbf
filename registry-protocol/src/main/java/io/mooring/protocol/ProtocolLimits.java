package io.mooring.protocol;

/**
 * What a node takes at most from one session. A client learns them from welcome and keeps to them.
 *
 * @param frameBytes length of a frame
 * @param messagesPerFrame messages in a frame
 * @param instancesPerMessage instances in one register or deregister
 * @param instancesPerSession registrations of a session
 * @param subscriptionsPerSession subscribed services of a session
 */
public record ProtocolLimits(
        int frameBytes,
        int messagesPerFrame,
        int instancesPerMessage,
        int instancesPerSession,
        int subscriptionsPerSession) {
    /** The version of the protocol this code speaks. */
    public static final int VERSION = 1;

    public static final ProtocolLimits DEFAULTS = new ProtocolLimits(1 << 20, 10_000, 1_000, 100_000, 10_000);
}
