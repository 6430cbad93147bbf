package io.mooring.bench;

import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import io.mooring.protocol.ClientMessage;
import io.mooring.protocol.MalformedFrameException;
import io.mooring.protocol.MessageReader;
import io.mooring.protocol.MessageWriter;
import io.mooring.protocol.ProtocolLimits;
import io.mooring.protocol.ServerMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What it costs to read and write the messages that matter: one instance with three metadata entries. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class CodecBenchmark {
    private static final int COMBINED = 64;
    private static final int BATCH = 100;

    private final MessageReader reader = new MessageReader(ProtocolLimits.DEFAULTS);
    private final byte[] oneRegister = MessageWriter.frame(registers(1, 1));
    private final byte[] combinedRegisters = MessageWriter.frame(registers(COMBINED, 1));
    private final byte[] batchRegister = MessageWriter.frame(registers(1, BATCH));
    private final ClientMessage register = registers(1, 1).get(0);
    private final ServerMessage delta = delta();
    private final byte[] oneDelta = MessageWriter.frame(List.of(delta));
    private final ServerMessage done = new ServerMessage.Done(123_456);

    /** A frame of one register message. */
    @Benchmark
    public List<ClientMessage> decodeRegister() throws MalformedFrameException {
        return reader.readFromClient(oneRegister, 0, oneRegister.length, "public");
    }

    /** One register message among 64 in a frame, as a pipelining client sends them; time per message. */
    @Benchmark
    @OperationsPerInvocation(COMBINED)
    public List<ClientMessage> decodeRegisterAmong64() throws MalformedFrameException {
        return reader.readFromClient(combinedRegisters, 0, combinedRegisters.length, "public");
    }

    /** One instance of a register message of 100; time per instance. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public List<ClientMessage> decodeInstanceOfBatch() throws MalformedFrameException {
        return reader.readFromClient(batchRegister, 0, batchRegister.length, "public");
    }

    @Benchmark
    public List<ServerMessage> decodeDelta() throws MalformedFrameException {
        return reader.readFromServer(oneDelta, 0, oneDelta.length, "public");
    }

    @Benchmark
    public byte[] encodeDelta() {
        return MessageWriter.message(delta);
    }

    @Benchmark
    public byte[] encodeDone() {
        return MessageWriter.message(done);
    }

    @Benchmark
    public byte[] encodeRegister() {
        return MessageWriter.message(register);
    }

    private static List<ClientMessage> registers(int messages, int instancesEach) {
        List<ClientMessage> out = new ArrayList<>();
        for (int m = 0; m < messages; m++) {
            List<Instance> instances = new ArrayList<>();
            for (int i = 0; i < instancesEach; i++) {
                instances.add(instance(m * instancesEach + i));
            }
            out.add(new ClientMessage.Register(1_000 + m, instances));
        }
        return out;
    }

    private static Instance instance(int number) {
        String host = "10.1." + number / 256 + "." + number % 256;
        return Instance.of(ServiceKey.of("orders-" + number % 50), host, 8_080)
                .withMetadata(
                        Map.of("zone", "zone-" + number % 3, "version", "1.4." + number % 10, "protocol", "grpc"));
    }

    private static ServerMessage delta() {
        ListedInstance put = new ListedInstance(instance(7), Standing.LIVE);
        return new ServerMessage.Delta(
                put.instance().service(),
                4_294_967_297L,
                4_294_967_298L,
                Digest.of(List.of(put)),
                List.of(put),
                List.of(),
                false,
                false);
    }
}
