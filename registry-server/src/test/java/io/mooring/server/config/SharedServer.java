package io.mooring.server.config;

/** One server for all tests that only talk to it, each about services of its own. Ends with the JVM. */
public final class SharedServer {
    private static final RunningServer SERVER = RunningServer.start(
                    "--mooring.http.watchers=4", "--mooring.http.streams=4")
            .ready();

    private SharedServer() {}

    public static RunningServer get() {
        return SERVER;
    }
}
