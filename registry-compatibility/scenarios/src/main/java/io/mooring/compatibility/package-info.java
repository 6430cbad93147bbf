/**
 * Unmodified clients of others against real registry nodes: which clients there are ({@link
 * io.mooring.compatibility.Clients}), what they are put through ({@link io.mooring.compatibility.Scenarios}), and what became
 * of it ({@link io.mooring.compatibility.Results}). Clients and nodes are processes of their own; nothing of theirs is on this
 * class path.
 */
@org.jspecify.annotations.NullMarked
package io.mooring.compatibility;
