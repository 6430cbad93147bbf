package io.mooring.server.edge.nacos.grpc;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * What goes out on the stream of one connection: nothing is written before what was written has left, and what waits is
 * made when its turn comes. Confined to the I/O thread.
 */
final class StreamOut {
    private final ServerCall<Payload, Outgoing> call;
    private final boolean gzip;
    private final ArrayDeque<Message> waiting = new ArrayDeque<>(2);
    private final Room room;
    private final Runnable again = this::pump;
    private boolean sending;
    private long blockedSince;
    private boolean blocked;

    /** Made at the moment of sending. */
    interface Message {
        /** Null if there is nothing to say any more. */
        @Nullable
        Outgoing now();
    }

    /** @param gzip whether the client takes what is compressed */
    StreamOut(ServerCall<Payload, Outgoing> call, boolean gzip, Room room) {
        this.call = call;
        this.gzip = gzip;
        this.room = room;
    }

    /** Begins the stream. */
    void open() {
        if (gzip) {
            call.setCompression("gzip");
        }
        call.sendHeaders(new Metadata());
    }

    Room room() {
        return room;
    }

    boolean takesGzip() {
        return gzip;
    }

    void send(Message message) {
        waiting.add(message);
        pump();
    }

    /** The client has taken what there was. */
    void onReady() {
        pump();
    }

    private void pump() {
        if (sending) {
            return; // a message that makes another one: it comes behind
        }
        sending = true;
        try {
            while (!waiting.isEmpty() && call.isReady()) {
                if (!room.isFree()) {
                    room.await(again);
                    return; // others are to blame
                }
                Outgoing message = waiting.remove().now();
                if (message != null) {
                    call.setMessageCompression(message.isCompressed());
                    call.sendMessage(message);
                }
            }
        } finally {
            sending = false;
        }
        if (waiting.isEmpty()) {
            blocked = false;
        } else if (!blocked) {
            blocked = true;
            blockedSince = System.nanoTime();
        }
    }

    /** Whether the client has taken all that was sent, or nearly so. */
    boolean isReady() {
        return call.isReady();
    }

    /** The connection has ended. */
    void gone() {
        waiting.clear();
        room.forget(again);
    }

    /** For how long something has waited for the client to read, in nanoseconds. */
    long blockedFor() {
        return blocked ? System.nanoTime() - blockedSince : 0;
    }
}
