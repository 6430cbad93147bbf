package io.mooring.protocol;

/** The stable codes of refusals and closings, on sessions and in HTTP problems alike. */
public final class RefusalCode {
    /** A value breaks its rule. */
    public static final String INVALID = "invalid";
    /** A required field is missing. */
    public static final String MISSING = "missing";
    /** A list or a count is over its limit. */
    public static final String LIMIT = "limit";
    /** No such message type, path or instance. */
    public static final String UNKNOWN = "unknown";
    /** Another publisher holds it. */
    public static final String NOT_OWNER = "not_owner";
    /** The service has instances of the other kind: persistent ones, or such as their publishers keep alive. */
    public static final String KIND = "kind";
    /** The node is full or busy; try again later or elsewhere. */
    public static final String OVERLOADED = "overloaded";
    /** The node was told to accept nothing it cannot write to disk, and cannot write. */
    public static final String NOT_DURABLE = "not_durable";
    /** The frame is not what the protocol says; the connection ends. */
    public static final String MALFORMED = "malformed";
    /** A message came where it may not; the connection ends. */
    public static final String OUT_OF_ORDER = "out_of_order";
    /** The versions have nothing in common; the connection ends. */
    public static final String VERSION = "version";
    /** The session opened another connection; this one ends. */
    public static final String REPLACED = "replaced";
    /** The client did not read or speak in time; the connection ends. */
    public static final String TOO_SLOW = "too_slow";
    /** The node is going down; the connection ends. */
    public static final String STOPPING = "stopping";
    /** Our bug, already logged. */
    public static final String INTERNAL = "internal";

    private RefusalCode() {}
}
