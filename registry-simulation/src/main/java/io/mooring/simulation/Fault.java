package io.mooring.simulation;

/** What goes wrong. Each seed draws its own subset; every kind must have had an effect over all seeds of a run. */
enum Fault {
    SERVER_KILL,
    SERVER_KILL_DISK_LOST,
    SERVER_KILL_TAIL_CUT,
    SERVER_POWER_OFF,
    SERVER_OUTAGE,
    SERVER_PAUSE,
    LINE_BREAK,
    BLACK_HOLE,
    LOSS_TO_SERVER,
    LOSS_TO_CLIENT,
    CONNECT_REFUSED,
    SLOW_LINK,
    DISK_SLOW,
    DISK_HUNG,
    DISK_FULL,
    CACHE_FULL,
    CACHE_CORRUPT,
    CLIENT_KILL,
    CLIENT_MASS_KILL,
    CLIENT_POWER_OFF,
    CLIENT_PAUSE,
    CLIENT_RESTART,
    WALL_CLOCK_JUMP,
    PORT_THROWS,
    LISTENER_THROWS
}
