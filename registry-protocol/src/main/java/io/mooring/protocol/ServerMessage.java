package io.mooring.protocol;

import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.ServiceKey;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;

/** What a registry may say to a session. An {@code id} is that of the request it answers. */
public sealed interface ServerMessage extends Message {

    /**
     * The answer to hello.
     *
     * @param node the node's name, for people
     * @param epoch changes whenever the node's revisions start anew
     * @param lease how long a silent session keeps its registrations
     * @param renewEvery how often the client should renew
     * @param reconnectSpread over how long a client should spread its first reconnect after it lost this node
     * @param held whether the registry holds exactly the registrations that hello's digest spoke of: none need repeating
     * @param peers {@code host:port} session addresses to fall back to, this node's not among them
     * @param limits what this node takes at most
     */
    record Welcome(
            int version,
            String node,
            String epoch,
            Duration lease,
            Duration renewEvery,
            Duration reconnectSpread,
            boolean held,
            List<String> peers,
            ProtocolLimits limits)
            implements ServerMessage {}

    /** The request took effect and every later read on this node sees it. */
    record Done(long id) implements ServerMessage {}

    /**
     * The request changed nothing.
     *
     * @param code stable, for programs; see {@link RefusalCode}
     * @param field what was wrong, empty when it was no field's fault
     * @param value what was given, shortened and printable
     * @param expected the rule
     * @param message all of it as a sentence
     * @param retryAfter when trying again makes sense; zero: not without a change
     */
    record Refused(
            long id, String code, String field, String value, String expected, String message, Duration retryAfter)
            implements ServerMessage {}

    record Renewed(long id) implements ServerMessage {}

    /**
     * A service's whole list.
     *
     * @param id the subscribe it answers; empty when it is a push
     * @param removals the latest removals the node remembers: why somebody is missing
     * @param underProtection whether the list holds instances that should have left
     * @param incomplete whether the node may lack what another one told: only add from this, removals in {@code removals}
     *     apart, and those only of whom it had listed on this connection
     */
    record View(
            OptionalLong id,
            ServiceKey service,
            long revision,
            long digest,
            List<ListedInstance> instances,
            List<Removal> removals,
            boolean underProtection,
            boolean incomplete)
            implements ServerMessage {}

    /**
     * What leads from one revision of a list to a later one.
     *
     * @param from the revision this is based on: the last one sent on this connection
     * @param digest of the list after the change
     * @param put new and changed instances
     * @param removed those that left, with the cause
     */
    record Delta(
            ServiceKey service,
            long from,
            long to,
            long digest,
            List<ListedInstance> put,
            List<Removal> removed,
            boolean underProtection,
            boolean incomplete)
            implements ServerMessage {}

    /**
     * The list with that digest is the current one: the answer to a subscribe whose digest fits, and, without an id,
     * the word that an incomplete list is now complete.
     */
    record Same(
            OptionalLong id,
            ServiceKey service,
            long revision,
            long digest,
            boolean underProtection,
            boolean incomplete)
            implements ServerMessage {}

    /**
     * The node is about to go, or others have room: move to one of the peers, the first that works, at a random moment
     * within {@code within}; to any other if there are none named.
     */
    record Move(Duration within, List<String> peers) implements ServerMessage {}

    /**
     * Other nodes than before are there to fall back to: these take the place of those welcome named.
     *
     * @param peers as in {@link Welcome}
     */
    record Peers(List<String> peers) implements ServerMessage {}

    /** The last message: why the registry closes the connection. */
    record Closing(String code, String message) implements ServerMessage {}
}
