package io.mooring.client;

import io.mooring.model.Digest;
import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceKey;
import io.mooring.protocol.MalformedFrameException;
import io.mooring.protocol.MessageReader;
import io.mooring.protocol.MessageWriter;
import io.mooring.protocol.ProtocolLimits;
import io.mooring.protocol.ServerMessage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A list as it is kept on disk: the whole key again, the time, and the protocol's own view.
 *
 * @param storedAt by the wall clock
 * @param instances what callers saw, in order
 */
record CachedList(ServiceKey service, Instant storedAt, List<ListedInstance> instances) {
    private static final int FORMAT = 1;

    byte[] encode() {
        ServerMessage.View view = new ServerMessage.View(
                OptionalLong.empty(), service, 0, Digest.of(instances), instances, List.of(), false, false);
        byte[] frame = MessageWriter.frame(List.of(view));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(frame.length + 256);
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeInt(FORMAT);
            out.writeUTF(service.namespace());
            out.writeUTF(service.group());
            out.writeUTF(service.name());
            out.writeLong(storedAt.toEpochMilli());
            out.write(frame);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return bytes.toByteArray();
    }

    /** Empty when the content is of another service, another format, or not whole. */
    static Optional<CachedList> decode(ServiceKey service, byte[] content) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(content))) {
            if (in.readInt() != FORMAT
                    || !in.readUTF().equals(service.namespace())
                    || !in.readUTF().equals(service.group())
                    || !in.readUTF().equals(service.name())) {
                return Optional.empty();
            }
            Instant storedAt = Instant.ofEpochMilli(in.readLong());
            byte[] frame = in.readAllBytes();
            List<ServerMessage> messages = new MessageReader(ProtocolLimits.DEFAULTS)
                    .readFromServer(frame, 0, frame.length, service.namespace());
            if (messages.size() != 1
                    || !(messages.get(0) instanceof ServerMessage.View view)
                    || !view.service().equals(service)) {
                return Optional.empty();
            }
            return Mirror.of(view.instances())
                    .filter(mirror -> mirror.digest() == view.digest())
                    .map(mirror -> new CachedList(service, storedAt, mirror.instances()));
        } catch (IOException | MalformedFrameException e) {
            return Optional.empty(); // whatever it is, it is not a list of ours
        }
    }
}
