package io.mooring.server.check;

import io.mooring.model.InstanceId;
import io.mooring.server.durable.ServiceSettings.ClusterSettings;
import java.util.function.Consumer;

/** Asks an instance once whether it is well. A port. */
public interface Checker {
    /** What an answer says. */
    enum Result {
        /** It answered as it should. */
        PASSED,
        /** It answered otherwise, or not in time. */
        FAILED,
        /** Its host says that nobody listens there. */
        REFUSED,
        /** It was not asked: it is at no address that may be asked, or in no way that is known here. */
        NOT_ASKED
    }

    /**
     * @param how for its cluster
     * @param result comes on the event loop, exactly once, within some seconds
     */
    void check(InstanceId instance, ClusterSettings how, Consumer<Result> result);
}
