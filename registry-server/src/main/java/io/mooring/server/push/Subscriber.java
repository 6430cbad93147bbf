package io.mooring.server.push;

import java.util.List;

/**
 * Somebody who wants to know: a session, a long poll, a stream of events. A port; edges implement it.
 *
 * <p>Called on the event loop and must not block. After {@link #deliver} the subscriber is taken to be busy and hears
 * nothing until {@code RegistryNode.ready(subscriber)} says that its line is free again; what changes meanwhile is
 * merged. So an implementation never has more than one delivery in its hands. Compared by identity: do not override {@code equals}.
 */
public interface Subscriber {
    /**
     * Hands over what the subscriber has not heard.
     *
     * @param updates at most one for each subscribed service, never empty
     */
    void deliver(List<Update> updates);
}
