package io.mooring.client;

import io.mooring.client.MooringPorts.Connector;
import io.mooring.client.MooringPorts.Link;
import io.mooring.client.MooringPorts.LinkListener;
import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import io.mooring.protocol.ClientMessage;
import io.mooring.protocol.MalformedFrameException;
import io.mooring.protocol.MessageReader;
import io.mooring.protocol.MessageWriter;
import io.mooring.protocol.ProtocolLimits;
import io.mooring.protocol.ServerMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;

/** A registry in virtual time that speaks the real codec over links with a latency, and misbehaves when told to. */
final class FakeRegistry implements Connector {
    enum Mode {
        UP,
        REFUSES,
        /** Accepts the connection and says nothing more, ever. */
        HANGS,
        /** Does not even accept. */
        SWALLOWS
    }

    static final Duration LATENCY = Duration.ofMillis(1);

    final VirtualEventLoop loop;
    Mode mode = Mode.UP;
    final Map<String, Mode> modes = new HashMap<>();
    boolean incomplete;
    boolean restartedWithoutMemory;
    ProtocolLimits limits = ProtocolLimits.DEFAULTS;
    List<String> peers = List.of();
    /** What the node that answers the next hello is called. */
    String node = "fake";
    /** May replace (null: swallow) what is sent in answer to a message. */
    BiFunction<ClientMessage, List<ServerMessage>, List<ServerMessage>> tamper = (request, answer) -> answer;

    final List<String> opened = new ArrayList<>();
    final List<Long> openedAt = new ArrayList<>();
    final List<ClientMessage> heard = new ArrayList<>();
    final Map<ServiceKey, TreeMap<InstanceId, ListedInstance>> lists = new HashMap<>();
    final Map<InstanceId, String> holders = new HashMap<>();
    final Map<ServiceKey, List<Removal>> removals = new HashMap<>();
    final List<Conversation> conversations = new ArrayList<>();
    private long revision = 10;
    private long generation;

    FakeRegistry(VirtualEventLoop loop) {
        this.loop = loop;
    }

    @Override
    public Link open(String address, LinkListener listener) {
        opened.add(address);
        openedAt.add(loop.now());
        Conversation conversation = new Conversation(address, listener);
        conversations.add(conversation);
        Mode how = modes.getOrDefault(address, mode);
        loop.execute(() -> loop.schedule(LATENCY, () -> {
            switch (how) {
                case UP, HANGS -> {
                    conversation.answers = how == Mode.UP;
                    listener.opened();
                }
                case REFUSES -> listener.closed("refused");
                case SWALLOWS -> {}
            }
        }));
        return conversation;
    }

    List<Conversation> live() {
        return conversations.stream().filter(c -> c.greeted && !c.ended).toList();
    }

    Conversation latest() {
        return conversations.get(conversations.size() - 1);
    }

    /** Puts or replaces, and pushes. */
    void put(Instance... instances) {
        List<ListedInstance> put = new ArrayList<>();
        for (Instance instance : instances) {
            put.add(new ListedInstance(instance, Standing.LIVE, ++generation));
        }
        list(put);
    }

    void list(List<ListedInstance> put) {
        Map<ServiceKey, List<ListedInstance>> changed = new HashMap<>();
        for (ListedInstance listed : put) {
            TreeMap<InstanceId, ListedInstance> list =
                    lists.computeIfAbsent(listed.instance().service(), k -> new TreeMap<>());
            if (!listed.equals(list.put(listed.id(), listed))) {
                changed.computeIfAbsent(listed.instance().service(), k -> new ArrayList<>())
                        .add(listed);
            }
        }
        changed.forEach((service, listed) -> push(service, listed, List.of()));
    }

    void remove(RemovalCause cause, InstanceId... ids) {
        Map<ServiceKey, List<Removal>> gone = new HashMap<>();
        for (InstanceId id : ids) {
            holders.remove(id);
            ListedInstance left =
                    lists.getOrDefault(id.service(), new TreeMap<>()).remove(id);
            if (left != null) {
                gone.computeIfAbsent(id.service(), k -> new ArrayList<>())
                        .add(new Removal(id, cause, left.generation()));
            }
        }
        gone.forEach((service, removed) -> {
            removals.computeIfAbsent(service, k -> new ArrayList<>()).addAll(removed);
            push(service, List.of(), removed);
        });
    }

    /** Forgets it without a word, as a node that lost its memory. */
    void forget(ServiceKey service) {
        lists.remove(service);
        removals.remove(service);
        holders.keySet().removeIf(id -> id.service().equals(service));
    }

    private void push(ServiceKey service, List<ListedInstance> put, List<Removal> removed) {
        long from = revision;
        revision++;
        for (Conversation conversation : live()) {
            Long known = conversation.streams.get(service);
            if (known != null) {
                conversation.streams.put(service, revision);
                conversation.say(new ServerMessage.Delta(
                        service, known, revision, digest(service), put, removed, false, incomplete));
            }
        }
        assert from < revision;
    }

    long digest(ServiceKey service) {
        return Digest.of(lists.getOrDefault(service, new TreeMap<>()).values());
    }

    ServerMessage.View view(OptionalLong id, ServiceKey service) {
        return new ServerMessage.View(
                id,
                service,
                revision,
                digest(service),
                List.copyOf(lists.getOrDefault(service, new TreeMap<>()).values()),
                removals.getOrDefault(service, List.of()),
                false,
                incomplete);
    }

    ServerMessage.Same same(OptionalLong id, ServiceKey service) {
        return new ServerMessage.Same(id, service, revision, digest(service), false, incomplete);
    }

    /** All connections end, as when the process is killed. */
    void crash() {
        live().forEach(c -> c.end("reset"));
        mode = Mode.REFUSES;
    }

    final class Conversation implements Link {
        final String address;
        final LinkListener listener;
        final Map<ServiceKey, Long> streams = new HashMap<>();
        final Set<InstanceId> registered = new HashSet<>(); // here, and not goodbye
        long attempt;
        boolean answers;
        boolean greeted;
        boolean ended;
        boolean aborted;
        boolean deaf;
        String session = "";
        private final MessageReader reader = new MessageReader(ProtocolLimits.DEFAULTS);
        private String namespace = "";
        private final List<byte[]> undelivered = new ArrayList<>();
        private boolean mayDeliver = true;
        private boolean sending;

        Conversation(String address, LinkListener listener) {
            this.address = address;
            this.listener = listener;
        }

        @Override
        public void send(byte[] frame) {
            if (sending) {
                throw new AssertionError("two sends at a time");
            }
            if (deaf) {
                sending = true;
                return;
            }
            sending = true;
            loop.schedule(LATENCY, () -> {
                sending = false;
                listener.sent();
                if (answers && !ended) {
                    hear(frame);
                }
            });
        }

        @Override
        public void next() {
            mayDeliver = true;
            deliver();
        }

        @Override
        public void abort() {
            aborted = true;
            ended = true;
        }

        void end(String why) {
            ended = true;
            loop.execute(() -> loop.schedule(LATENCY, () -> listener.closed(why)));
        }

        void say(ServerMessage... messages) {
            sayRaw(MessageWriter.frame(List.of(messages)));
        }

        void sayRaw(byte[] frame) {
            loop.execute(() -> loop.schedule(LATENCY, () -> {
                undelivered.add(frame);
                deliver();
            }));
        }

        private void deliver() {
            if (mayDeliver && !undelivered.isEmpty() && !aborted) {
                mayDeliver = false;
                listener.received(undelivered.remove(0));
            }
        }

        private void hear(byte[] frame) {
            if (frame.length > limits.frameBytes()) {
                end("1009");
                return;
            }
            List<ServerMessage> out = new ArrayList<>();
            try {
                for (ClientMessage message : reader.readFromClient(frame, 0, frame.length, namespace)) {
                    heard.add(message);
                    List<ServerMessage> answer = tamper.apply(message, answer(message));
                    if (answer != null) {
                        out.addAll(answer);
                    }
                }
            } catch (MalformedFrameException e) {
                throw new AssertionError(e);
            }
            if (!out.isEmpty()) {
                say(out.toArray(new ServerMessage[0]));
            }
        }

        private List<ServerMessage> answer(ClientMessage message) {
            if (message instanceof ClientMessage.Hello hello) {
                return List.of(welcome(hello));
            }
            if (message instanceof ClientMessage.Register register) {
                register.instances().forEach(instance -> {
                    holders.put(instance.id(), session);
                    registered.add(instance.id());
                });
                put(register.instances().toArray(new Instance[0]));
                return List.of(new ServerMessage.Done(register.id()));
            }
            if (message instanceof ClientMessage.Deregister deregister) {
                remove(
                        RemovalCause.DEREGISTERED,
                        deregister.instances().stream()
                                .filter(id -> session.equals(holders.get(id)))
                                .toArray(InstanceId[]::new));
                return List.of(new ServerMessage.Done(deregister.id()));
            }
            if (message instanceof ClientMessage.Subscribe subscribe) {
                streams.put(subscribe.service(), revision);
                OptionalLong id = OptionalLong.of(subscribe.id());
                boolean has =
                        subscribe.digest().isPresent() && subscribe.digest().getAsLong() == digest(subscribe.service());
                return List.of(has ? same(id, subscribe.service()) : view(id, subscribe.service()));
            }
            if (message instanceof ClientMessage.Unsubscribe unsubscribe) {
                streams.remove(unsubscribe.service());
                return List.of(new ServerMessage.Done(unsubscribe.id()));
            }
            if (message instanceof ClientMessage.Renew renew) {
                return List.of(new ServerMessage.Renewed(renew.id()));
            }
            if (message instanceof ClientMessage.Bye bye) {
                Set<InstanceId> mine = new HashSet<>();
                holders.forEach((id, holder) -> {
                    if (holder.equals(session)) {
                        mine.add(id);
                    }
                });
                remove(RemovalCause.DEREGISTERED, mine.toArray(new InstanceId[0]));
                return List.of(new ServerMessage.Done(bye.id()));
            }
            throw new AssertionError("unacceptable: " + message);
        }

        private ServerMessage welcome(ClientMessage.Hello hello) {
            greeted = true;
            session = hello.session();
            attempt = hello.attempt();
            namespace = hello.namespace();
            long sum = 0;
            for (TreeMap<InstanceId, ListedInstance> list : lists.values()) {
                for (ListedInstance listed : list.values()) {
                    if (session.equals(holders.get(listed.id()))) {
                        sum += new ListedInstance(listed.instance(), Standing.LIVE).fingerprint();
                    }
                }
            }
            boolean held = hello.holds().isPresent() && hello.holds().getAsLong() == sum;
            return new ServerMessage.Welcome(
                    1,
                    node,
                    "epoch",
                    Duration.ofSeconds(15),
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(1),
                    held,
                    peers,
                    limits);
        }
    }
}
