/** A program around nacos-client: it does what the scenarios tell it, line by line. */
@org.jspecify.annotations.NullMarked
package io.mooring.compatibility.nacos;
