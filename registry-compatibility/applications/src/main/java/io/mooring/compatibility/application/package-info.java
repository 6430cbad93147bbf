/** Programs as their users write them, around a framework that finds services in the registry; they do what the scenarios say. */
@org.jspecify.annotations.NullMarked
package io.mooring.compatibility.application;
