package io.mooring.simulation;

/** What goes wrong. Each seed draws its own subset; every kind must have had an effect over all seeds of a run. */
enum Fault {
    // One node.
    SERVER_KILL,
    SERVER_KILL_DISK_LOST,
    SERVER_KILL_TAIL_CUT,
    SERVER_POWER_OFF,
    SERVER_OUTAGE,
    SERVER_PAUSE,
    SERVER_DRAIN(2),
    // Several.
    SERVERS_RESTART,
    SERVERS_RESTART_EMPTY(2),
    ROLLING_RESTART(2),
    OUTAGE_OF_ALL,
    // What an operator gets wrong.
    DIRECTORY_CLONED(2),
    PEERS_LISTED_WRONG(2),
    OTHER_CLUSTER(1),
    // Between nodes.
    PEERS_CUT(2),
    PEERS_ONE_OFF(2),
    PEERS_PAIR(3),
    PEERS_BRIDGE(3),
    PEERS_RING(4),
    PEERS_ONE_WAY(2),
    PEERS_RESET(2),
    PEERS_SLOW(2),
    PEER_MESSAGES_CUT(2),
    PEER_MESSAGES_REPEATED(2),
    STRANGER(1),
    // Between processes and nodes.
    LINE_BREAK,
    BLACK_HOLE,
    LOSS_TO_SERVER,
    LOSS_TO_CLIENT,
    CONNECT_REFUSED,
    SLOW_LINK,
    CLIENT_MOVED(2),
    // Disks.
    DISK_SLOW,
    DISK_HUNG,
    DISK_FULL,
    CACHE_FULL,
    CACHE_CORRUPT,
    // Processes.
    CLIENT_KILL,
    CLIENT_MASS_KILL,
    CLIENT_POWER_OFF,
    CLIENT_PAUSE,
    CLIENT_RESTART,
    WALL_CLOCK_JUMP,
    PORT_THROWS,
    LISTENER_THROWS;

    private final int nodes;

    Fault() {
        this(1);
    }

    Fault(int nodes) {
        this.nodes = nodes;
    }

    /** How many nodes it takes. */
    int nodes() {
        return nodes;
    }
}
