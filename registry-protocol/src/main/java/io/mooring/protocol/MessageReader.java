package io.mooring.protocol;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ListedInstance;
import io.mooring.model.Metadata;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads frames: UTF-8 JSON, an array of messages.
 *
 * <p>What makes the frame as a whole doubtful (not JSON, not an array, no way to name the request) is a
 * {@link MalformedFrameException}. A request that can be named but breaks a rule comes out as
 * {@link ClientMessage.Unacceptable}. Unknown fields are passed over, whatever their shape.
 *
 * <p>Fields may come in any order, so each message is first gathered in a draft that is used again for the next one.
 * Not thread-safe; keeps no reference to what it returned, but for short strings and keys that are the same anyway.
 */
public final class MessageReader {
    /** Larger numbers are not exact in every JSON implementation, so ids and revisions stay below. */
    static final long MAX_SAFE_INTEGER = (1L << 53) - 1;

    private static final long ABSENT = -1;
    private static final long IN_DOUBT = -2;

    private static final Set<String> REQUESTS =
            Set.of("register", "deregister", "subscribe", "unsubscribe", "renew", "bye");
    private static final Set<String> ANSWERS =
            Set.of("welcome", "done", "renewed", "refused", "view", "delta", "same", "move", "peers", "closing");

    private final ProtocolLimits limits;
    private final SharedStrings strings = new SharedStrings();
    private final @Nullable ServiceKey[] recentKeys = new @Nullable ServiceKey[1_024];
    private boolean fromClient;
    private final Draft draft = new Draft();
    private final InstanceDraft instanceDraft = new InstanceDraft();

    /** @param limits what is refused when more comes; the frame's length is the transport's to check */
    public MessageReader(ProtocolLimits limits) {
        this.limits = limits;
    }

    /**
     * @param frame UTF-8 JSON
     * @param namespace the session's namespace; empty while it has not said hello, and then hello must come first
     */
    public List<ClientMessage> readFromClient(byte[] frame, int offset, int length, String namespace)
            throws MalformedFrameException {
        List<ClientMessage> messages = new ArrayList<>();
        fromClient = true;
        try (JsonParser json = parser(frame, offset, length)) {
            expectArray(json);
            while (nextMessage(json)) {
                if (messages.size() == limits.messagesPerFrame()) {
                    throw malformed("more than " + limits.messagesPerFrame() + " messages in a frame", null);
                }
                gather(json);
                ClientMessage message = draft.toClientMessage(namespace);
                if (message instanceof ClientMessage.Hello hello) {
                    namespace = hello.namespace();
                }
                messages.add(message);
            }
            expectEnd(json);
        } catch (IOException e) {
            throw notJson(e);
        }
        return messages;
    }

    /** The registry's side of it; messages of a type this version does not know are passed over. */
    public List<ServerMessage> readFromServer(byte[] frame, int offset, int length, String namespace)
            throws MalformedFrameException {
        List<ServerMessage> messages = new ArrayList<>();
        fromClient = false;
        try (JsonParser json = parser(frame, offset, length)) {
            expectArray(json);
            while (nextMessage(json)) {
                gather(json);
                ServerMessage message = draft.toServerMessage(namespace);
                if (message != null) {
                    messages.add(message);
                }
            }
            expectEnd(json);
        } catch (IOException e) {
            throw notJson(e);
        } catch (InvalidValueException e) {
            throw malformed(e.getMessage(), e);
        }
        return messages;
    }

    /** Jackson passes over some bad UTF-8 and guesses other encodings from the first bytes: so we look first. */
    private static JsonParser parser(byte[] frame, int offset, int length) throws IOException, MalformedFrameException {
        boolean plain = length > 0 && frame[offset] > 0; // no byte order mark either
        for (int i = 1; i < Math.min(4, length); i++) {
            plain &= frame[offset + i] != 0;
        }
        if (!plain) {
            throw malformed("a frame must be a JSON array of messages in UTF-8", null);
        }
        int bad = Utf8.firstBad(frame, offset, length);
        if (bad >= 0) {
            throw malformed("not UTF-8: byte " + bad + " of the frame", null);
        }
        return StrictJson.FACTORY.createParser(frame, offset, length);
    }

    private static void expectArray(JsonParser json) throws IOException, MalformedFrameException {
        if (json.nextToken() != JsonToken.START_ARRAY) {
            throw malformed("a frame must be a JSON array of messages", null);
        }
    }

    private static boolean nextMessage(JsonParser json) throws IOException, MalformedFrameException {
        JsonToken token = json.nextToken();
        if (token == JsonToken.END_ARRAY) {
            return false;
        }
        if (token != JsonToken.START_OBJECT) {
            throw malformed("a message must be a JSON object", null);
        }
        return true;
    }

    private static void expectEnd(JsonParser json) throws IOException, MalformedFrameException {
        if (json.nextToken() != null) {
            throw malformed("text behind the array of messages", null);
        }
    }

    private static MalformedFrameException malformed(@Nullable String why, @Nullable Throwable cause) {
        return new MalformedFrameException(RefusalCode.MALFORMED, String.valueOf(why), cause);
    }

    private static MalformedFrameException notJson(IOException e) {
        String why = e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
        return malformed("not acceptable JSON: " + InvalidValueException.shown(String.valueOf(why)), e);
    }

    private void gather(JsonParser json) throws IOException {
        draft.clear();
        for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
            JsonToken token = json.nextToken();
            try {
                boolean known = fromClient
                        ? gatherFromClient(json, token, name) || gatherFromBoth(json, token, name)
                        : gatherFromBoth(json, token, name) || gatherFromServer(json, token, name);
                if (!known) {
                    json.skipChildren();
                }
            } catch (InvalidValueException e) {
                draft.fail(e);
                skipRest(json, token);
            }
        }
    }

    private boolean gatherFromBoth(JsonParser json, @Nullable JsonToken token, String name) throws IOException {
        switch (name) {
            case "type" -> draft.type = once(name, draft.type, text(json, token, name));
            case "id" -> {
                long before = draft.id;
                draft.id = IN_DOUBT; // a wrong or second id names no request
                draft.id = number(json, token, name, before, 1);
            }
            case "service" -> draft.service = once(name, draft.service, text(json, token, name));
            case "group" -> draft.group = once(name, draft.group, text(json, token, name));
            case "digest" -> draft.digest = once(name, draft.digest, text(json, token, name));
            case "version" -> draft.version = number(json, token, name, draft.version, 0);
            case "instances" -> draft.instances = instances(json, token, name, draft.instances);
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean gatherFromClient(JsonParser json, @Nullable JsonToken token, String name) throws IOException {
        switch (name) {
            case "holds" -> draft.holds = once(name, draft.holds, text(json, token, name));
            case "attempt" ->
                draft.attempt = number(json, token, name, draft.attempt, 1, ClientMessage.Hello.MOST_ATTEMPTS);
            case "session" -> draft.session = once(name, draft.session, text(json, token, name));
            case "client" -> draft.client = once(name, draft.client, text(json, token, name));
            case "namespace" -> draft.namespace = once(name, draft.namespace, text(json, token, name));
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean gatherFromServer(JsonParser json, @Nullable JsonToken token, String name) throws IOException {
        switch (name) {
            case "node" -> draft.node = once(name, draft.node, text(json, token, name));
            case "epoch" -> draft.epoch = once(name, draft.epoch, text(json, token, name));
            case "code" -> draft.code = once(name, draft.code, text(json, token, name));
            case "field" -> draft.field = once(name, draft.field, text(json, token, name));
            case "value" -> draft.value = once(name, draft.value, text(json, token, name));
            case "expected" -> draft.expected = once(name, draft.expected, text(json, token, name));
            case "message" -> draft.message = once(name, draft.message, text(json, token, name));
            case "revision" -> draft.revision = number(json, token, name, draft.revision, 0);
            case "from" -> draft.from = number(json, token, name, draft.from, 0);
            case "to" -> draft.to = number(json, token, name, draft.to, 0);
            case "lease" -> draft.lease = number(json, token, name, draft.lease, 0);
            case "renewEvery" -> draft.renewEvery = number(json, token, name, draft.renewEvery, 0);
            case "reconnectSpread" -> draft.reconnectSpread = number(json, token, name, draft.reconnectSpread, 0);
            case "retryAfter" -> draft.retryAfter = number(json, token, name, draft.retryAfter, 0);
            case "within" -> draft.within = number(json, token, name, draft.within, 0);
            case "held" -> draft.held = once(name, draft.held, flag(json, token, name));
            case "protected" -> draft.underProtection = once(name, draft.underProtection, flag(json, token, name));
            case "incomplete" -> draft.incomplete = once(name, draft.incomplete, flag(json, token, name));
            case "peers" -> draft.peers = once(name, draft.peers, texts(json, token, name));
            case "limits" -> draft.limits = once(name, draft.limits, readLimits(json, token));
            case "put" -> draft.put = instances(json, token, name, draft.put);
            case "removed" -> draft.removed = instances(json, token, name, draft.removed);
            default -> {
                return false;
            }
        }
        return true;
    }

    /** After a complaint about a value: leaves the parser at its end. */
    private static void skipRest(JsonParser json, @Nullable JsonToken token) throws IOException {
        if (token != null && token.isStructStart() && json.currentToken() == token) {
            json.skipChildren();
        }
    }

    private static <T> T once(String field, @Nullable Object before, T value) {
        if (before != null) {
            throw new InvalidValueException(field, "given twice", "each field once");
        }
        return value;
    }

    private String text(JsonParser json, @Nullable JsonToken token, String field) throws IOException {
        if (token != JsonToken.VALUE_STRING) {
            throw wrongType(json, token, field, "text");
        }
        return strings.of(json.getTextCharacters(), json.getTextOffset(), json.getTextLength());
    }

    private static long number(JsonParser json, @Nullable JsonToken token, String field, long before, long least)
            throws IOException {
        return number(json, token, field, before, least, MAX_SAFE_INTEGER);
    }

    private static long number(
            JsonParser json, @Nullable JsonToken token, String field, long before, long least, long most)
            throws IOException {
        if (before != ABSENT) {
            throw new InvalidValueException(field, "given twice", "each field once");
        }
        if (token == JsonToken.VALUE_NUMBER_INT && json.getNumberType() != JsonParser.NumberType.BIG_INTEGER) {
            long value = json.getLongValue();
            if (value >= least && value <= most) {
                return value;
            }
        }
        throw wrongType(json, token, field, "a whole number from " + least + " to " + most);
    }

    private static boolean flag(JsonParser json, @Nullable JsonToken token, String field) throws IOException {
        if (token != JsonToken.VALUE_TRUE && token != JsonToken.VALUE_FALSE) {
            throw wrongType(json, token, field, "true or false");
        }
        return token == JsonToken.VALUE_TRUE;
    }

    private List<String> texts(JsonParser json, @Nullable JsonToken token, String field) throws IOException {
        if (token != JsonToken.START_ARRAY) {
            throw wrongType(json, token, field, "a list of texts");
        }
        List<String> texts = new ArrayList<>();
        InvalidValueException problem = null;
        for (JsonToken next = json.nextToken(); next != JsonToken.END_ARRAY; next = json.nextToken()) {
            if (next == JsonToken.VALUE_STRING && texts.size() < 1_000) {
                texts.add(json.getText());
            } else {
                problem = wrongType(json, next, field, "at most 1000 texts");
                json.skipChildren();
            }
        }
        if (problem != null) {
            throw problem;
        }
        return texts;
    }

    private static InvalidValueException wrongType(
            JsonParser json, @Nullable JsonToken token, String field, String expected) throws IOException {
        Object given = token == null || token.isStructStart()
                ? (token == JsonToken.START_ARRAY ? "a list" : "an object")
                : json.getText();
        return new InvalidValueException(field, String.valueOf(given), expected);
    }

    private ProtocolLimits readLimits(JsonParser json, @Nullable JsonToken token) throws IOException {
        if (token != JsonToken.START_OBJECT) {
            throw wrongType(json, token, "limits", "an object");
        }
        ProtocolLimits d = ProtocolLimits.DEFAULTS;
        int frameBytes = d.frameBytes();
        int messages = d.messagesPerFrame();
        int perMessage = d.instancesPerMessage();
        int perSession = d.instancesPerSession();
        int subscriptions = d.subscriptionsPerSession();
        for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
            JsonToken value = json.nextToken();
            if (value != JsonToken.VALUE_NUMBER_INT) {
                json.skipChildren();
                continue;
            }
            int number = (int) Math.min(Integer.MAX_VALUE, Math.max(1, json.getValueAsLong()));
            switch (name) {
                case "frameBytes" -> frameBytes = number;
                case "messagesPerFrame" -> messages = number;
                case "instancesPerMessage" -> perMessage = number;
                case "instancesPerSession" -> perSession = number;
                case "subscriptionsPerSession" -> subscriptions = number;
                default -> {}
            }
        }
        return new ProtocolLimits(frameBytes, messages, perMessage, perSession, subscriptions);
    }

    private List<InstanceParts> instances(
            JsonParser json, @Nullable JsonToken token, String field, @Nullable List<InstanceParts> before)
            throws IOException {
        if (token != JsonToken.START_ARRAY) {
            throw wrongType(json, token, field, "a list of instances");
        }
        List<InstanceParts> target = once(field, before, new ArrayList<>());
        int cap = fromClient ? limits.instancesPerMessage() : Integer.MAX_VALUE; // a view: the frame's length bounds it
        int index = 0;
        for (JsonToken next = json.nextToken(); next != JsonToken.END_ARRAY; next = json.nextToken(), index++) {
            if (next != JsonToken.START_OBJECT) {
                draft.fail(wrongType(json, next, field + "[" + index + "]", "an object"));
                json.skipChildren();
                continue;
            }
            instanceDraft.read(json, field, index);
            if (index < cap) {
                target.add(instanceDraft.parts());
            }
        }
        draft.listed = index;
        return target;
    }

    private ServiceKey key(String namespace, @Nullable String group, String name) {
        String groupOrDefault = group == null ? ServiceKey.DEFAULT_GROUP : group;
        int slot = (name.hashCode() * 31 + groupOrDefault.hashCode()) & recentKeys.length - 1;
        ServiceKey there = recentKeys[slot];
        if (there != null
                && there.name().equals(name)
                && there.group().equals(groupOrDefault)
                && there.namespace().equals(namespace)) {
            return there;
        }
        ServiceKey fresh = new ServiceKey(namespace, groupOrDefault, name);
        recentKeys[slot] = fresh;
        return fresh;
    }

    /** The fields of one instance object, before it is known which message they belong to. */
    private record InstanceParts(
            @Nullable String service,
            @Nullable String group,
            @Nullable String cluster,
            @Nullable String host,
            int port,
            double weight,
            boolean enabled,
            Metadata metadata,
            Standing standing,
            long generation,
            @Nullable RemovalCause cause) {}

    private final class InstanceDraft {
        private @Nullable String service;
        private @Nullable String group;
        private @Nullable String cluster;
        private @Nullable String host;
        private int port;
        private double weight;
        private boolean enabled;
        private Metadata metadata = Metadata.empty();
        private Standing standing = Standing.LIVE;
        private long generation;
        private @Nullable RemovalCause cause;
        private @Nullable String[] flat = new @Nullable String[16];

        void read(JsonParser json, String list, int index) throws IOException {
            service = null;
            group = null;
            cluster = null;
            host = null;
            port = -1;
            weight = Instance.DEFAULT_WEIGHT;
            enabled = true;
            metadata = Metadata.empty();
            standing = Standing.LIVE;
            generation = 0;
            cause = null;
            int seen = 0;
            for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
                JsonToken token = json.nextToken();
                try {
                    int bit = switch (name) {
                        case "cluster" -> {
                            cluster = text(json, token, name);
                            yield 4;
                        }
                        case "host" -> {
                            host = text(json, token, name);
                            yield 8;
                        }
                        case "port" -> {
                            port = port(json, token, fromClient ? 1 : 0);
                            yield 16;
                        }
                        case "weight" -> {
                            weight = weight(json, token);
                            yield 32;
                        }
                        case "enabled" -> {
                            enabled = flag(json, token, name);
                            yield 64;
                        }
                        case "metadata" -> {
                            metadata = metadata(json, token);
                            yield 128;
                        }
                        default -> fromClient ? owner(json, token, name) : verdict(json, token, name);
                    };
                    if ((seen & bit) != 0) {
                        throw new InvalidValueException(name, "given twice", "each field once");
                    }
                    seen |= bit;
                } catch (InvalidValueException e) {
                    draft.fail(e.inside(list + "[" + index + "]"));
                    skipRest(json, token);
                }
            }
        }

        /** What only a client says of an instance; returns the field's bit, 0 if it is unknown. */
        private int owner(JsonParser json, @Nullable JsonToken token, String name) throws IOException {
            switch (name) {
                case "service" -> {
                    service = text(json, token, name);
                    return 1;
                }
                case "group" -> {
                    group = text(json, token, name);
                    return 2;
                }
                default -> {
                    json.skipChildren();
                    return 0;
                }
            }
        }

        /** What only a registry says of an instance; returns the field's bit, 0 if it is unknown. */
        private int verdict(JsonParser json, @Nullable JsonToken token, String name) throws IOException {
            switch (name) {
                case "standing" -> {
                    standing = standing(text(json, token, name));
                    return 256;
                }
                case "cause" -> {
                    cause = cause(text(json, token, name));
                    return 512;
                }
                case "generation" -> {
                    generation = generation(text(json, token, name));
                    return 1024;
                }
                default -> {
                    json.skipChildren();
                    return 0;
                }
            }
        }

        private int port(JsonParser json, @Nullable JsonToken token, int lowest) throws IOException {
            if (token == JsonToken.VALUE_NUMBER_INT && json.getNumberType() == JsonParser.NumberType.INT) {
                int value = json.getIntValue();
                if (value >= lowest && value <= 65_535) {
                    return value;
                }
            }
            throw wrongType(json, token, "port", lowest + "-65535");
        }

        private double weight(JsonParser json, @Nullable JsonToken token) throws IOException {
            if (token == JsonToken.VALUE_NUMBER_INT || token == JsonToken.VALUE_NUMBER_FLOAT) {
                double value = json.getDoubleValue();
                if (value >= 0 && value <= Instance.MAX_WEIGHT) {
                    return value;
                }
            }
            throw wrongType(json, token, "weight", "a number from 0 to 10000");
        }

        private Metadata metadata(JsonParser json, @Nullable JsonToken token) throws IOException {
            if (token != JsonToken.START_OBJECT) {
                throw wrongType(json, token, "metadata", "an object of texts");
            }
            int next = 0;
            InvalidValueException problem = null;
            for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
                JsonToken value = json.nextToken();
                if (value != JsonToken.VALUE_STRING) {
                    problem = wrongType(json, value, "metadata." + name, "text");
                    json.skipChildren();
                } else if (next >= 2 * Metadata.MAX_ENTRIES) {
                    problem = new InvalidValueException(
                            "metadata", "more entries", "at most " + Metadata.MAX_ENTRIES + " entries");
                } else {
                    if (next == flat.length) {
                        flat = Arrays.copyOf(flat, flat.length * 2);
                    }
                    flat[next++] = name;
                    flat[next++] = text(json, value, name);
                }
            }
            if (problem != null) {
                throw problem;
            }
            return Metadata.ofFlat(flat, next);
        }

        private Standing standing(String text) {
            return switch (text) {
                case "suspect" -> Standing.SUSPECT;
                case "held" -> Standing.HELD;
                default -> Standing.LIVE; // also what a later version may invent
            };
        }

        private RemovalCause cause(String text) {
            return switch (text) {
                case "deregistered" -> RemovalCause.DEREGISTERED;
                case "connection_lost" -> RemovalCause.CONNECTION_LOST;
                case "orphaned" -> RemovalCause.ORPHANED;
                case "operator" -> RemovalCause.OPERATOR;
                case "probe_failed" -> RemovalCause.PROBE_FAILED;
                default -> RemovalCause.LEASE_EXPIRED; // the least certain one
            };
        }

        private long generation(String text) {
            long value = 0;
            boolean fits = !text.isEmpty() && text.length() <= 16 && text.charAt(0) != '0';
            for (int i = 0; fits && i < text.length(); i++) {
                int digit = "0123456789abcdef".indexOf(text.charAt(i));
                fits = digit >= 0;
                value = value << 4 | digit;
            }
            if (!fits || value < 0) {
                throw new InvalidValueException(
                        "generation", text, "1-7fffffffffffffff in lower-case hexadecimal, without leading zeros");
            }
            return value;
        }

        InstanceParts parts() {
            return new InstanceParts(
                    service, group, cluster, host, port, weight, enabled, metadata, standing, generation, cause);
        }
    }

    private final class Draft {
        private @Nullable String type;
        private long id;
        private long version;
        private long attempt;
        private long revision;
        private long from;
        private long to;
        private long lease;
        private long renewEvery;
        private long reconnectSpread;
        private long retryAfter;
        private long within;
        private @Nullable Boolean held;
        private @Nullable Boolean underProtection;
        private @Nullable Boolean incomplete;
        private int listed;
        private @Nullable String service;
        private @Nullable String group;
        private @Nullable String digest;
        private @Nullable String holds;
        private @Nullable String session;
        private @Nullable String client;
        private @Nullable String namespace;
        private @Nullable String node;
        private @Nullable String epoch;
        private @Nullable String code;
        private @Nullable String field;
        private @Nullable String value;
        private @Nullable String expected;
        private @Nullable String message;
        private @Nullable List<String> peers;
        private @Nullable ProtocolLimits limits;
        private @Nullable List<InstanceParts> instances;
        private @Nullable List<InstanceParts> put;
        private @Nullable List<InstanceParts> removed;
        private @Nullable InvalidValueException problem;
        private String problemCode = RefusalCode.INVALID;

        void clear() {
            type = null;
            id = ABSENT;
            version = ABSENT;
            attempt = ABSENT;
            revision = ABSENT;
            from = ABSENT;
            to = ABSENT;
            lease = ABSENT;
            renewEvery = ABSENT;
            reconnectSpread = ABSENT;
            retryAfter = ABSENT;
            within = ABSENT;
            held = null;
            underProtection = null;
            incomplete = null;
            listed = 0;
            service = null;
            group = null;
            digest = null;
            holds = null;
            session = null;
            client = null;
            namespace = null;
            node = null;
            epoch = null;
            code = null;
            field = null;
            value = null;
            expected = null;
            message = null;
            peers = null;
            limits = null;
            instances = null;
            put = null;
            removed = null;
            problem = null;
            problemCode = RefusalCode.INVALID;
        }

        /** Notes what is wrong; the first complaint is the one that is told. */
        void fail(InvalidValueException failure) {
            if (problem == null) {
                problem = failure;
            }
        }

        // ---- what a client says

        ClientMessage toClientMessage(String sessionNamespace) throws MalformedFrameException {
            if ("hello".equals(type)) {
                return hello(sessionNamespace);
            }
            if (sessionNamespace.isEmpty()) {
                throw new MalformedFrameException(
                        RefusalCode.OUT_OF_ORDER, "the first message must be hello, not " + shownType(), null);
            }
            if (id < 1) {
                String why = problem == null ? "a request needs an id (a whole number from 1)" : problem.getMessage();
                throw malformed(shownType() + ": " + why, problem);
            }
            if (problem != null && (type == null || REQUESTS.contains(type))) {
                return new ClientMessage.Unacceptable(id, problemCode, problem);
            }
            try {
                return request(sessionNamespace); // a type nobody knows may have fields of any shape
            } catch (InvalidValueException e) {
                return new ClientMessage.Unacceptable(id, problemCode, e);
            }
        }

        private String shownType() {
            return type == null ? "a message without type" : InvalidValueException.shown(type);
        }

        private ClientMessage hello(String sessionNamespace) throws MalformedFrameException {
            if (!sessionNamespace.isEmpty()) {
                throw new MalformedFrameException(RefusalCode.OUT_OF_ORDER, "hello came twice", null);
            }
            if (version != ABSENT && version != ProtocolLimits.VERSION) { // first: another version may look otherwise
                throw new MalformedFrameException(
                        RefusalCode.VERSION,
                        "version: " + version + " (expected: " + ProtocolLimits.VERSION + ")",
                        null);
            }
            if (problem != null) {
                throw malformed("hello: " + problem.getMessage(), problem);
            }
            try {
                requiredNumber("version", version);
                return new ClientMessage.Hello(
                        (int) version,
                        checkedSession(session),
                        attempt == ABSENT ? 0 : attempt,
                        InvalidValueException.shown(client == null ? "" : client),
                        ServiceKey.checkedNamespace(namespace == null ? ServiceKey.DEFAULT_NAMESPACE : namespace),
                        holds == null ? OptionalLong.empty() : OptionalLong.of(Digest.parse("holds", holds)));
            } catch (InvalidValueException e) {
                throw malformed("hello: " + e.getMessage(), e);
            }
        }

        private String checkedSession(@Nullable String text) {
            boolean fits = text != null && text.length() == 32;
            for (int i = 0; fits && text != null && i < 32; i++) {
                char c = text.charAt(i);
                fits = c >= '0' && c <= '9' || c >= 'a' && c <= 'f';
            }
            if (!fits || text == null) {
                // Never repeated: it is a secret, and perhaps only one digit is wrong.
                throw new InvalidValueException("session", "not shown", "32 lower-case hexadecimal digits");
            }
            return text;
        }

        private ClientMessage request(String sessionNamespace) {
            String kind = required("type", type);
            return switch (kind) {
                case "register" -> new ClientMessage.Register(id, instances(sessionNamespace));
                case "deregister" -> new ClientMessage.Deregister(id, ids(sessionNamespace));
                case "subscribe" ->
                    new ClientMessage.Subscribe(
                            id,
                            serviceKey(sessionNamespace),
                            digest == null ? OptionalLong.empty() : OptionalLong.of(Digest.parse("digest", digest)));
                case "unsubscribe" -> new ClientMessage.Unsubscribe(id, serviceKey(sessionNamespace));
                case "renew" -> new ClientMessage.Renew(id);
                case "bye" -> new ClientMessage.Bye(id);
                default -> {
                    problemCode = RefusalCode.UNKNOWN;
                    throw new InvalidValueException(
                            "type", kind, "register, deregister, subscribe, unsubscribe, renew or bye");
                }
            };
        }

        private <T> T required(String name, @Nullable T given) {
            if (given == null) {
                problemCode = RefusalCode.MISSING;
                throw new InvalidValueException(name, "missing", "this field");
            }
            return given;
        }

        private ServiceKey serviceKey(String sessionNamespace) {
            return key(sessionNamespace, group, required("service", service));
        }

        private List<InstanceParts> parts() {
            List<InstanceParts> given = required("instances", instances);
            if (listed == 0 || listed > MessageReader.this.limits.instancesPerMessage()) {
                problemCode = RefusalCode.LIMIT;
                throw new InvalidValueException(
                        "instances",
                        listed + " entries",
                        "1-" + MessageReader.this.limits.instancesPerMessage() + " entries");
            }
            return given;
        }

        private List<Instance> instances(String sessionNamespace) {
            List<InstanceParts> given = parts();
            Instance[] out = new Instance[given.size()];
            for (int i = 0; i < out.length; i++) {
                out[i] = instance(given.get(i), idOf(given.get(i), sessionNamespace, "instances", i));
            }
            return List.of(out);
        }

        private List<InstanceId> ids(String sessionNamespace) {
            List<InstanceParts> given = parts();
            InstanceId[] out = new InstanceId[given.size()];
            for (int i = 0; i < out.length; i++) {
                out[i] = idOf(given.get(i), sessionNamespace, "instances", i);
            }
            return List.of(out);
        }

        private InstanceId idOf(InstanceParts parts, String sessionNamespace, String list, int index) {
            try {
                ServiceKey owner = key(sessionNamespace, parts.group, required("service", parts.service));
                return id(parts, owner);
            } catch (InvalidValueException e) {
                throw e.inside(list + "[" + index + "]");
            }
        }

        private InstanceId id(InstanceParts parts, ServiceKey owner) {
            if (parts.port < 0) {
                required("port", null);
            }
            String cluster = parts.cluster == null ? InstanceId.DEFAULT_CLUSTER : parts.cluster;
            return new InstanceId(owner, cluster, required("host", parts.host), parts.port);
        }

        private Instance instance(InstanceParts parts, InstanceId instanceId) {
            return new Instance(instanceId, parts.weight, parts.enabled, parts.metadata);
        }

        // ---- what a registry says

        @Nullable
        ServerMessage toServerMessage(String sessionNamespace) throws MalformedFrameException {
            if (type != null && !ANSWERS.contains(type)) {
                return null; // of a later version, with fields of any shape
            }
            if (problem != null) {
                throw malformed(shownType() + ": " + problem.getMessage(), problem);
            }
            String kind = required("type", type);
            return switch (kind) {
                case "welcome" -> welcome();
                case "done" -> new ServerMessage.Done(requiredId());
                case "renewed" -> new ServerMessage.Renewed(requiredId());
                case "refused" ->
                    new ServerMessage.Refused(
                            requiredId(),
                            required("code", code),
                            orEmpty(field),
                            orEmpty(value),
                            orEmpty(expected),
                            orEmpty(message),
                            orNone(retryAfter));
                case "view" -> {
                    ServiceKey owner = serviceKey(sessionNamespace);
                    yield new ServerMessage.View(
                            optionalId(),
                            owner,
                            requiredNumber("revision", revision),
                            Digest.parse("digest", required("digest", digest)),
                            listed(owner, required("instances", instances)),
                            removals(owner),
                            is(underProtection),
                            is(incomplete));
                }
                case "delta" -> {
                    ServiceKey owner = serviceKey(sessionNamespace);
                    yield new ServerMessage.Delta(
                            owner,
                            requiredNumber("from", from),
                            requiredNumber("to", to),
                            Digest.parse("digest", required("digest", digest)),
                            put == null ? List.of() : listed(owner, put),
                            removals(owner),
                            is(underProtection),
                            is(incomplete));
                }
                case "same" ->
                    new ServerMessage.Same(
                            optionalId(),
                            serviceKey(sessionNamespace),
                            requiredNumber("revision", revision),
                            Digest.parse("digest", required("digest", digest)),
                            is(underProtection),
                            is(incomplete));
                case "move" -> new ServerMessage.Move(orNone(within), orNobody(peers));
                case "peers" -> new ServerMessage.Peers(orNobody(peers));
                case "closing" -> new ServerMessage.Closing(required("code", code), orEmpty(message));
                default -> null;
            };
        }

        private ServerMessage.Welcome welcome() {
            return new ServerMessage.Welcome(
                    (int) Math.min(Integer.MAX_VALUE, requiredNumber("version", version)),
                    orEmpty(node),
                    required("epoch", epoch),
                    Duration.ofMillis(requiredNumber("lease", lease)),
                    Duration.ofMillis(requiredNumber("renewEvery", renewEvery)),
                    orNone(reconnectSpread),
                    is(held),
                    orNobody(peers),
                    limits == null ? ProtocolLimits.DEFAULTS : limits);
        }

        private static String orEmpty(@Nullable String text) {
            return text == null ? "" : text;
        }

        private static List<String> orNobody(@Nullable List<String> addresses) {
            return addresses == null ? List.of() : List.copyOf(addresses);
        }

        private static Duration orNone(long millis) {
            return millis == ABSENT ? Duration.ZERO : Duration.ofMillis(millis);
        }

        private static boolean is(@Nullable Boolean flag) {
            return flag != null && flag;
        }

        private long requiredId() {
            return requiredNumber("id", id);
        }

        private OptionalLong optionalId() {
            return id == ABSENT ? OptionalLong.empty() : OptionalLong.of(id);
        }

        private long requiredNumber(String name, long given) {
            if (given < 0) {
                required(name, null);
            }
            return given;
        }

        private List<ListedInstance> listed(ServiceKey owner, List<InstanceParts> given) {
            ListedInstance[] out = new ListedInstance[given.size()];
            for (int i = 0; i < out.length; i++) {
                InstanceParts parts = given.get(i);
                out[i] = new ListedInstance(instance(parts, id(parts, owner)), parts.standing, parts.generation);
            }
            return List.of(out);
        }

        private List<Removal> removals(ServiceKey owner) {
            if (removed == null) {
                return List.of();
            }
            Removal[] out = new Removal[removed.size()];
            for (int i = 0; i < out.length; i++) {
                InstanceParts parts = removed.get(i);
                out[i] = new Removal(id(parts, owner), required("cause", parts.cause), parts.generation);
            }
            return List.of(out);
        }
    }
}
