package io.mooring.compatibility;

/** What a client said instead of doing what it was told. */
final class ClientFailure extends Exception {
    ClientFailure(String client, String command, String said) {
        super(client + " failed to " + command + ": " + said);
    }
}
