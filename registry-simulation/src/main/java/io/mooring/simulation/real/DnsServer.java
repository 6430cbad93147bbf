package io.mooring.simulation.real;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * Answers for names in a domain, over UDP, as the DNS of a cluster does: IPv4 addresses of little lifetime, nothing of any
 * other type, and that there is no other name. Once dead it does not even refuse, as when the machines that should answer are
 * gone. One thread.
 */
final class DnsServer implements Resolver {
    private static final int HEADER = 12;
    private static final int TYPE_A = 1;
    private static final int CLASS_IN = 1;
    private static final int LIFETIME_SECONDS = 5;
    private static final int ANSWER = 0x8580; // a response with authority; recursion asked for and given
    private static final int NO_SUCH_NAME = 3;
    private static final int OFFSET_OF_NAME = 0xc000 | HEADER;

    private final DatagramSocket socket;
    private final String domain;
    private volatile List<String> addresses = List.of();
    private volatile boolean dead;
    private volatile boolean closed;

    /** @param domain of the names that are answered */
    DnsServer(InetSocketAddress address, String domain) throws IOException {
        this.domain = domain;
        socket = new DatagramSocket(address);
        Thread thread = new Thread(this::run, "resolver");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public String name() {
        return "a resolver that falls silent";
    }

    @Override
    public void answer(List<String> now) {
        addresses = List.copyOf(now);
    }

    @Override
    public void die() {
        dead = true;
    }

    private void run() {
        byte[] buffer = new byte[512];
        try {
            while (true) {
                DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
                socket.receive(packet);
                if (!dead && packet.getLength() > HEADER) {
                    byte[] answer = answer(buffer, packet.getLength());
                    socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
                }
            }
        } catch (IOException e) {
            if (!closed) {
                throw new UncheckedIOException("the resolver of the drill has failed", e);
            }
        }
    }

    private byte[] answer(byte[] message, int length) throws IOException {
        ByteBuffer question = ByteBuffer.wrap(message, 0, length);
        short id = question.getShort(0);
        question.position(HEADER);
        StringBuilder name = new StringBuilder();
        for (int octets = question.get(); octets > 0; octets = question.get()) {
            byte[] label = new byte[octets];
            question.get(label);
            name.append(name.isEmpty() ? "" : ".").append(new String(label, StandardCharsets.US_ASCII));
        }
        int type = question.getShort();
        int end = question.position() + Short.BYTES;
        boolean known = NAMES.stream()
                .anyMatch(each -> name.toString().toLowerCase(Locale.ROOT).equals(each + "." + domain));
        List<String> found = known && type == TYPE_A ? addresses : Collections.emptyList();
        ByteBuffer out = ByteBuffer.allocate(512);
        out.putShort(id).putShort((short) (known ? ANSWER : ANSWER | NO_SUCH_NAME));
        out.putShort((short) 1).putShort((short) found.size()).putInt(0);
        out.put(message, HEADER, end - HEADER);
        for (String address : found) {
            out.putShort((short) OFFSET_OF_NAME).putShort((short) TYPE_A).putShort((short) CLASS_IN);
            out.putInt(LIFETIME_SECONDS).putShort((short) 4);
            out.put(InetAddress.getByName(address).getAddress());
        }
        byte[] answer = new byte[out.flip().remaining()];
        out.get(answer);
        return answer;
    }

    @Override
    public void close() {
        closed = true;
        socket.close();
    }
}
