package io.mooring.client;

import io.mooring.runtime.EventLoop;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;

/**
 * Everything the client needs from outside: <b>for tests and simulations</b>, which run it in virtual time on a network
 * and a disk of their own. Applications never need this; {@link Mooring#builder()} makes the real ones.
 *
 * @param loop where the client's state lives; {@link Mooring#close()} does not stop it
 * @param random draws the session's name and the waits between connection attempts; used on the loop only
 * @param lookupRandom draws in lookups; from any thread, unless the caller keeps to one
 * @param wallClock tells how old a list read from disk is, and nothing else
 * @param connector opens connections to the registry
 * @param cache where lists are kept across restarts; empty for nowhere
 * @param cacheExecutor where {@link CacheStore#write} runs, in order
 * @param listenerExecutor where listeners and futures run; must not run a task inside {@code execute}
 * @param released run once, when the client is closed and needs none of this any more
 */
public record MooringPorts(
        EventLoop loop,
        RandomGenerator random,
        RandomGenerator lookupRandom,
        InstantSource wallClock,
        Connector connector,
        Optional<CacheStore> cache,
        Executor cacheExecutor,
        Executor listenerExecutor,
        Runnable released) {

    /** Opens connections. */
    public interface Connector {
        /**
         * Starts to connect and returns at once. From then on the listener hears how it goes, from any thread.
         *
         * @param address {@code host:port}, with brackets around an IPv6 address
         */
        Link open(String address, LinkListener listener);
    }

    /** One connection, from the first try to connect until its end. Called on the loop. */
    public interface Link {
        /** Sends a frame. Not called again before {@link LinkListener#sent()}, nor before the link is open. */
        void send(byte[] frame);

        /** The last frame was dealt with: the next one may come. A link never delivers two without this in between. */
        void next();

        /** Ends it at once, also while it still connects. Safe to call twice. Nothing it says later is listened to. */
        void abort();
    }

    /** What a link says, from any thread. */
    public interface LinkListener {
        /** The link is open: frames may be sent, and the first may come without {@link Link#next()}. */
        void opened();

        /** A frame came, whole: UTF-8 JSON. The array is the listener's now. */
        void received(byte[] frame);

        /** The last frame has left: the next may be sent. */
        void sent();

        /** It is over, or it never came to be. */
        void closed(String reason);
    }

    /** Keeps bytes under names, safe against a crash at any moment. */
    public interface CacheStore {
        /**
         * What is stored under that name: whole contents only, the latest first. Blocks on the disk.
         *
         * @throws IOException when the store cannot be read; nothing stored is an empty list, not an error
         */
        List<byte[]> read(String name) throws IOException;

        /**
         * Replaces the content, in one step: a crash leaves the old or the new one. Blocks on the disk.
         *
         * @throws IOException when it could not be kept; then what was there before still is
         */
        void write(String name, byte[] content) throws IOException;
    }
}
