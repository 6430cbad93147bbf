package io.mooring.server.edge.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.runtime.ThreadEventLoop;
import io.mooring.server.membership.PeerLine;
import io.mooring.server.replication.PeerMessage;
import io.mooring.server.replication.Peers;
import java.nio.ByteBuffer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;

/** A node's end of its lines, which writes down what happens to them. */
final class TestEnds implements Peers, AutoCloseable {
    final ThreadEventLoop loop = new ThreadEventLoop("test-core");
    final BlockingQueue<PeerLine> opened = new LinkedBlockingQueue<>();
    final BlockingQueue<Integer> kinds = new LinkedBlockingQueue<>();
    final BlockingQueue<String> closed = new LinkedBlockingQueue<>();
    final BlockingQueue<String> malformed = new LinkedBlockingQueue<>();
    final BlockingQueue<String> failed = new LinkedBlockingQueue<>();
    final BlockingQueue<PeerLine> free = new LinkedBlockingQueue<>();
    final AtomicInteger offTheLoop = new AtomicInteger();

    private void checkLoop() {
        if (!loop.inLoop()) {
            offTheLoop.incrementAndGet();
        }
    }

    @Override
    public void opened(PeerLine line) {
        checkLoop();
        opened.add(line);
    }

    @Override
    public void received(PeerLine line, PeerMessage message) {
        checkLoop();
        if (message instanceof PeerMessage.Unknown unknown) {
            kinds.add(unknown.kind() & 0xff);
        }
    }

    @Override
    public void malformed(PeerLine line, String problem) {
        checkLoop();
        malformed.add(problem);
    }

    @Override
    public void writable(PeerLine line) {
        checkLoop();
        free.add(line);
    }

    @Override
    public void closed(PeerLine line, String reason) {
        checkLoop();
        closed.add(reason);
    }

    /** A message of no version of the protocol, so that the reader only tells that it came. */
    static byte[] message(int kind, int length) {
        byte[] message = new byte[Math.max(length, 5)];
        message[0] = (byte) kind;
        CRC32C crc = new CRC32C();
        crc.update(message, 0, 1);
        crc.update(message, 5, message.length - 5);
        ByteBuffer.wrap(message).putInt(1, (int) crc.getValue());
        return message;
    }

    void dial(PeerClient client, String address) {
        loop.execute(() -> client.dial(address, this::opened, why -> {
            checkLoop();
            failed.add(why);
        }));
    }

    void send(PeerLine line, byte[] message, boolean bulk) {
        loop.execute(() -> line.send(message, bulk));
    }

    static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
        T next = queue.poll(20, TimeUnit.SECONDS);
        assertThat(next).as("nothing came within 20 s").isNotNull();
        return next;
    }

    @Override
    public void close() {
        loop.close();
        assertThat(offTheLoop).as("calls off the event loop").hasValue(0);
    }
}
