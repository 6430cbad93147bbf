package io.mooring.compatibility;

/** What a client's API can express. Scenarios say what they need, clients what they lack. */
enum Ability {
    REGISTER,
    BATCH,
    UPDATE,
    METADATA,
    WEIGHT,
    ENABLED,
    PERSISTENT,
    GROUPS,
    CLUSTERS,
    NAMESPACES,
    LIST,
    SELECT,
    CHOOSE,
    SUBSCRIBE,
    UNSUBSCRIBE,
    /** Hearing that nobody is left, and taking it for true. */
    EMPTIED,
    /** Looking again and again at the list that a caller would be given. */
    WATCH,
    SERVICES,
    /** Hearing which services come and go by a pattern of their names. */
    WATCH_SERVICES,
    STATUS,
    LOGIN,
    /** Leaving in order. */
    CLOSE,
    /** Being known by its connection, so that its end shows at once; others are missed when their beats fail to come. */
    CONNECTED,
    /** Names beyond letters, digits, dots and dashes. */
    ODD_NAMES,
    /** Being refused something, and saying so. */
    REFUSED,
    /** Telling a list that is refused from an empty one. */
    LIST_REFUSED
}
