package io.mooring.protocol;

/** Anything that travels in a frame. */
public sealed interface Message permits ClientMessage, ServerMessage {}
