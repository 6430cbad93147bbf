/** The messages between a registry and its sessions, and their JSON form. The prose is {@code docs/protocol.md}. */
@NullMarked
package io.mooring.protocol;

import org.jspecify.annotations.NullMarked;
