/** Measures a registry: microbenchmarks in this JVM, and load against a running server. */
@NullMarked
package io.mooring.bench;

import org.jspecify.annotations.NullMarked;
