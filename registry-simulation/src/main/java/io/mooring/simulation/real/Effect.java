package io.mooring.simulation.real;

/** What a proxy counts, so that a fault can prove that it happened. */
enum Effect {
    /** Connections accepted. */
    ACCEPTED,
    /** Of these, reset at once because nobody answered behind the proxy. */
    REFUSED,
    /** Of these, dialled into a black hole: they heard nothing. */
    SWALLOWED,
    /** Bytes handed on. */
    PASSED,
    /** Bytes that waited. */
    DELAYED,
    /** Milliseconds that pieces waited, summed. */
    DELAYED_MILLIS,
    /** Bytes that came in a black hole. */
    HELD,
    /** Bytes handed on at a limited rate. */
    SLOWED,
    /** Bytes handed on one at a time. */
    SINGLE,
    /** Connections reset by order. */
    RESET,
    /** Connections reset at a byte. */
    CUT
}
