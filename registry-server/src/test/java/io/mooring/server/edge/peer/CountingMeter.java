package io.mooring.server.edge.peer;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;

final class CountingMeter implements PeerMeter {
    final AtomicLong sent = new AtomicLong();
    final AtomicLong received = new AtomicLong();
    final BlockingQueue<String> refused = new LinkedBlockingQueue<>();

    @Override
    public void sent(int bytes) {
        sent.addAndGet(bytes);
    }

    @Override
    public void received(int bytes) {
        received.addAndGet(bytes);
    }

    @Override
    public void refused(String code) {
        refused.add(code);
    }
}
