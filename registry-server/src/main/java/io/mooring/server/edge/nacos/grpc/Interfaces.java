package io.mooring.server.edge.nacos.grpc;

import io.mooring.model.InvalidValueException;
import io.mooring.server.durable.InterfaceKey;
import io.mooring.server.edge.nacos.NacosNames;
import io.mooring.server.edge.nacos.NacosRefusal;
import io.mooring.server.node.RegistryNode;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which applications offer which interface: what Dubbo has to find out before it can look for the instances of those
 * applications. It keeps that as configuration, in the group {@value #GROUP}, under the name of the interface, as the names
 * of the applications with commas between them; and this is all there is of configuration.
 *
 * <p>Publishing adds, whatever the request says of the content before: a writer that missed somebody would write the same
 * again with both, and here nobody is displaced in between. Confined to the I/O thread.
 */
final class Interfaces {
    static final String GROUP = "mapping";

    /** What Nacos calls a configuration that is not there; the same number says of a node that it is starting. */
    private static final int NO_SUCH_CONFIGURATION = 300;

    private final RegistryNode node;
    private final int most;
    private final Map<InterfaceKey, Set<Ours>> listening = new HashMap<>();

    /** @param most interfaces one connection may listen to */
    Interfaces(RegistryNode node, int most) {
        this.node = node;
        this.most = most;
    }

    /** Something of a configuration, as a request names it. */
    record Named(String dataId, String group, String tenant, String md5) {
        boolean isMapping() {
            return group.equals(GROUP);
        }

        /** @throws InvalidValueException when it is no name of an interface */
        InterfaceKey key() {
            return new InterfaceKey(NacosNames.namespace(tenant), dataId);
        }
    }

    /** Names of applications, as they travel. */
    static List<String> read(String content) {
        List<String> applications =
                Arrays.stream(content.split(",")).map(String::strip).distinct().toList();
        applications.forEach(InterfaceKey::checkedApplication);
        return applications;
    }

    private Optional<String> content(InterfaceKey of) {
        List<String> applications = node.applications(of);
        return applications.isEmpty() ? Optional.empty() : Optional.of(String.join(",", applications));
    }

    private static String md5(String content) {
        try {
            byte[] hash = MessageDigest.getInstance("MD5").digest(content.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash); // no secret: how clients tell whether they have the latest
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has MD5", e);
        }
    }

    void query(InterfaceKey of, String requestId, Answer answer) {
        String content = content(of).orElse(null);
        answer.json(json -> {
            json.writeStartObject();
            json.writeNumberField("resultCode", content == null ? 500 : 200);
            json.writeNumberField("errorCode", content == null ? NO_SUCH_CONFIGURATION : 0);
            json.writeBooleanField("success", content != null);
            if (content == null) {
                json.writeStringField("message", "config data not exist");
            } else {
                json.writeStringField("content", content);
                json.writeStringField("contentType", "text");
                json.writeStringField("md5", md5(content));
                json.writeStringField("encryptedDataKey", "");
                json.writeBooleanField("beta", false);
            }
            if (!requestId.isEmpty()) {
                json.writeStringField("requestId", requestId);
            }
            json.writeEndObject();
        });
    }

    /** On the I/O thread: other applications offer it now. */
    void changed(InterfaceKey of) {
        listening.getOrDefault(of, Set.of()).forEach(ours -> ours.tell(of));
    }

    /** What one connection listens to. */
    Ours of(StreamOut out, Stamps stamps) {
        return new Ours(out, stamps);
    }

    final class Ours {
        private final StreamOut out;
        private final Stamps stamps;
        private final Map<InterfaceKey, Told> told = new LinkedHashMap<>(2);

        /** How the client calls the namespace, and whether it is about to hear of a change. */
        private static final class Told {
            final String tenant;
            boolean queued;

            Told(String tenant) {
                this.tenant = tenant;
            }
        }

        private Ours(StreamOut out, Stamps stamps) {
            this.out = out;
            this.stamps = stamps;
        }

        /**
         * Begins to listen, or ends. What is no mapping has nothing to change.
         *
         * @return why it could not
         */
        Optional<NacosRefusal> listen(Request request, Answer answer) {
            Set<Named> changed = new LinkedHashSet<>();
            for (Named named : request.listened) {
                if (!named.isMapping()) {
                    continue;
                }
                InterfaceKey of = named.key();
                if (!request.listen) {
                    end(of);
                    continue;
                }
                if (told.size() >= most && !told.containsKey(of)) {
                    return Optional.of(new NacosRefusal(
                            NacosRefusal.SERVER_ERROR,
                            "listened to: " + told.size() + " (expected: at most " + most + "); end some",
                            "limit"));
                }
                told.put(of, new Told(named.tenant()));
                listening.computeIfAbsent(of, k -> new LinkedHashSet<>(2)).add(this);
                if (!named.md5().equals(content(of).map(Interfaces::md5).orElse(""))) {
                    changed.add(named);
                }
            }
            answer.json(json -> {
                json.writeStartObject();
                json.writeNumberField("resultCode", 200);
                json.writeNumberField("errorCode", 0);
                json.writeBooleanField("success", true);
                json.writeArrayFieldStart("changedConfigs");
                for (Named named : changed) {
                    json.writeStartObject();
                    json.writeStringField("dataId", named.dataId());
                    json.writeStringField("group", named.group());
                    json.writeStringField("tenant", named.tenant());
                    json.writeEndObject();
                }
                json.writeEndArray();
                if (!request.requestId.isEmpty()) {
                    json.writeStringField("requestId", request.requestId);
                }
                json.writeEndObject();
            });
            return Optional.empty();
        }

        /** That there is something new; the client asks for it. */
        private void tell(InterfaceKey of) {
            Told entry = told.get(of);
            if (entry != null && !entry.queued) {
                entry.queued = true;
                out.send(() -> next(of, entry));
            }
        }

        private @Nullable Outgoing next(InterfaceKey of, Told entry) {
            entry.queued = false;
            if (told.get(of) != entry) {
                return null; // not listened to any more, or compared anew since
            }
            return Answers.asking(
                    "ConfigChangeNotifyRequest",
                    stamps.nextId(),
                    ",\"dataId\":" + Answers.quoted(of.name()) + ",\"group\":\"" + GROUP + "\",\"tenant\":"
                            + Answers.quoted(entry.tenant));
        }

        private void end(InterfaceKey of) {
            told.remove(of);
            Set<Ours> others = listening.get(of);
            if (others != null && others.remove(this) && others.isEmpty()) {
                listening.remove(of);
            }
        }

        /** The connection has ended. */
        void gone() {
            List.copyOf(told.keySet()).forEach(this::end);
        }
    }
}
