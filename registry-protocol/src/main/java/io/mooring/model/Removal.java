package io.mooring.model;

/** That an instance left the list, and why. */
public record Removal(InstanceId instance, RemovalCause cause) {}
