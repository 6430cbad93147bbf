package io.mooring.simulation.real;

import java.util.List;

/** Pods at addresses of the loopback device. */
final class LoopbackPods implements PodNetwork {
    private final int block =
            (int) (ProcessHandle.current().pid() % 200) + 20; // apart from another run on this machine
    private final int[] last = new int[PodDrill.NODES];

    LoopbackPods() {
        for (int pod = 0; pod < last.length; pod++) {
            last[pod] = 1 + pod;
        }
    }

    @Override
    public String name() {
        return "loopback addresses";
    }

    @Override
    public String address(int pod) {
        return "127." + block + ".0." + last[pod];
    }

    @Override
    public String listen(int pod) {
        return address(pod);
    }

    @Override
    public String provider(int number) {
        return "127." + block + ".2." + (1 + number);
    }

    @Override
    public List<String> prefix(int pod) {
        return List.of();
    }

    @Override
    public void move(int pod) {
        last[pod] += 20;
    }

    @Override
    public void close() {
        // Nothing of it is left.
    }
}
