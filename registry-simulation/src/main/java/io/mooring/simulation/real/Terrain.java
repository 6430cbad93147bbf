package io.mooring.simulation.real;

import java.io.IOException;
import java.util.List;

/** Where the nodes live and how they reach each other. Nodes are counted from 0. */
interface Terrain extends AutoCloseable {
    /** How it is called in reports. */
    String name();

    /** Where that node's ports listen. */
    String bind(int node);

    /** Where others reach it. */
    String address(int node);

    /** An address for a provider, other than anybody's; its ports can be bound by this process. */
    String provider(int number);

    /** What stands before the command of that node. */
    List<String> prefix(int node);

    /** That node now is this process. */
    void started(int node, long pid);

    /** Whatever {@code from} sends to {@code to} is lost, until {@link #heal}. */
    void cut(int from, int to) throws IOException;

    /** Whether nodes can lose their network as by a power cut. */
    boolean canUnplug();

    /** That node is off the network, silently. */
    void unplug(int node) throws IOException;

    /** Everything passes again and every node is plugged in. */
    void heal() throws IOException;

    /**
     * Grows when something is lost on its way between nodes, so that a cut can prove itself.
     *
     * @param node whose words
     */
    long losses(int node) throws IOException;

    @Override
    void close() throws IOException;
}
