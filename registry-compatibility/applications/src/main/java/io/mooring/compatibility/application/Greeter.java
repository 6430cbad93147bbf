package io.mooring.compatibility.application;

/** What a provider offers by Dubbo. */
public interface Greeter {
    /** Says which process answers. */
    String who();
}
