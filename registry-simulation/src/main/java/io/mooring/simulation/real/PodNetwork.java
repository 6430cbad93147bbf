package io.mooring.simulation.real;

import java.io.IOException;
import java.util.List;

/** Where pods live: each has an address of its own, and may get another one. Pods are counted from 0. */
interface PodNetwork extends AutoCloseable {
    /** How it is called in reports. */
    String name();

    /** Where others reach it now. */
    String address(int pod);

    /** What it listens on. */
    String listen(int pod);

    /** An address for a provider, other than anybody's; its ports can be bound by this process. */
    String provider(int number);

    /** What stands before the command of that pod. */
    List<String> prefix(int pod);

    /** From now on that pod, which is not running, has another address, that nobody had before. */
    void move(int pod) throws IOException;

    @Override
    void close() throws IOException;
}
