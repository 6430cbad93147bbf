package io.mooring.client;

/** How a call to an instance went. */
public enum CallResult {
    /** It answered as it should. Brings an ejected instance back at once. */
    SUCCESS,
    /** It answered badly or late. Many of these eject it. */
    FAILURE,
    /** It could not be reached: refused, reset, no route, no answer. One of these ejects it. */
    UNREACHABLE
}
