package io.mooring.protocol;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import java.util.List;
import java.util.OptionalLong;

/**
 * What a session may say to a registry. Every {@code id} names a request, is chosen by the client, at least 1, and is
 * unique among its open requests; the answer carries it back.
 */
public sealed interface ClientMessage extends Message {

    /**
     * The first message of every connection.
     *
     * @param version the protocol's version: {@link ProtocolLimits#VERSION}
     * @param session 32 lower-case hexadecimal digits the client drew at random once in its life; whoever knows it may
     *     speak for the session, so it is never logged or shown
     * @param attempt 1 with the session's first hello to any node, and more with every further one; 0 from a client that does
     *     not count. Whoever says less than what a node has heard already is late
     * @param client free text for operators, such as {@code mooring-java/0.1.0}
     * @param namespace where all services of this session live
     * @param holds the digest over the registrations the client believes the registry holds for it
     */
    record Hello(int version, String session, long attempt, String client, String namespace, OptionalLong holds)
            implements ClientMessage {
        /** Where a client stops counting; once a second it gets there in 68 years. */
        public static final long MOST_ATTEMPTS = Integer.MAX_VALUE;
    }

    /** Registers all of them, or replaces what they said before: visible in one step, or refused as a whole. */
    record Register(long id, List<Instance> instances) implements ClientMessage {}

    /** Says goodbye for all of them; those not held by this session are passed over. */
    record Deregister(long id, List<InstanceId> instances) implements ClientMessage {}

    /** Asks for a service's view and its changes. {@code digest} is what the client has, if it has anything. */
    record Subscribe(long id, ServiceKey service, OptionalLong digest) implements ClientMessage {}

    record Unsubscribe(long id, ServiceKey service) implements ClientMessage {}

    /** Keeps the whole session's lease. */
    record Renew(long id) implements ClientMessage {}

    /** The orderly end: the session's registrations are removed at once. */
    record Bye(long id) implements ClientMessage {}

    /** Not a message of the wire: a request that was well-formed JSON but broke a rule. To be refused by its id. */
    record Unacceptable(long id, String code, InvalidValueException reason) implements ClientMessage {}
}
