package io.mooring.server.edge.nacos.http;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ListedInstance;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.protocol.StrictJson;
import io.mooring.server.durable.InstanceOverride;
import io.mooring.server.edge.nacos.NacosInstance;
import io.mooring.server.edge.nacos.NacosNames;
import io.mooring.server.lease.Outcome;
import io.mooring.server.node.RegistryNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Labels of many instances of a service, changed at once: each is done, or left as it was, by itself. */
final class Batches {
    private static final int MOST = 1_000;

    private final RegistryNode node;

    Batches(RegistryNode node) {
        this.node = node;
    }

    Optional<Answer> put(Call call) {
        Map<String, String> metadata = metadata(call);
        return change(call, before -> with(before, metadata));
    }

    /** Takes back what was put over these labels; what the publisher said shows again. */
    Optional<Answer> delete(Call call) {
        Map<String, String> metadata = metadata(call);
        return change(call, before -> without(before, metadata.keySet()));
    }

    /** With these labels, too. */
    static InstanceOverride with(InstanceOverride before, Map<String, String> more) {
        Map<String, String> all = new HashMap<>(before.metadata());
        all.putAll(more);
        return before.withMetadata(Metadata.of(all));
    }

    private static InstanceOverride without(InstanceOverride before, Set<String> keys) {
        Map<String, String> rest = new HashMap<>(before.metadata());
        rest.keySet().removeAll(keys);
        return before.withMetadata(Metadata.of(rest));
    }

    private static Map<String, String> metadata(Call call) {
        call.parameters().required("metadata");
        return Metadata.of(call.parameters().texts("metadata"));
    }

    private Optional<Answer> change(Call call, UnaryOperator<InstanceOverride> change) {
        Parameters given = call.parameters();
        ServiceKey service = given.service();
        List<InstanceId> instances = instances(service, given.text("instances"));
        if (instances.size() > MOST) {
            throw new InvalidValueException("instances", instances.size() + " of them", "at most " + MOST);
        }
        if (instances.isEmpty()) {
            return Optional.of(updated(List.of()));
        }
        return call.later(
                (Consumer<Gathered> reply) -> {
                    Gathered gathered = new Gathered(instances.size(), reply);
                    for (InstanceId id : instances) {
                        node.override(id, change, outcome -> gathered.add(id, outcome));
                    }
                },
                gathered -> {
                    if (gathered.done.isEmpty() && gathered.refused != null) {
                        throw FaultException.of(gathered.refused);
                    }
                    return updated(gathered.done);
                });
    }

    /** Confined to the loop until it is complete. */
    private static final class Gathered {
        private final List<InstanceId> done = new ArrayList<>();
        private final Consumer<Gathered> complete;
        private Outcome.@Nullable Refused refused;
        private int open;

        Gathered(int open, Consumer<Gathered> complete) {
            this.open = open;
            this.complete = complete;
        }

        void add(InstanceId id, Outcome outcome) {
            if (outcome instanceof Outcome.Refused why) {
                refused = why;
            } else {
                done.add(id);
            }
            if (--open == 0) {
                complete.accept(this);
            }
        }
    }

    private Answer updated(List<InstanceId> done) {
        return Answer.json(json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("updated");
            for (InstanceId id : done) {
                json.writeString(id.host() + ":" + id.port() + ":unknown:" + id.cluster()
                        + (node.isPersistent(id) ? ":persist" : ":ephemeral"));
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    /** Those that are named and listed; all of them if none is named. */
    private List<InstanceId> instances(ServiceKey service, String named) {
        List<InstanceId> listed = new ArrayList<>();
        for (ListedInstance one : node.view(service).instances()) {
            listed.add(one.id());
        }
        if (named.isEmpty()) {
            return listed;
        }
        listed.retainAll(parse(service, named));
        return listed;
    }

    private static List<InstanceId> parse(ServiceKey service, String named) {
        List<InstanceId> ids = new ArrayList<>();
        try (JsonParser json = StrictJson.FACTORY.createParser(named)) {
            if (json.nextToken() != JsonToken.START_ARRAY) {
                throw new InvalidValueException("instances", named, "a JSON list of objects");
            }
            while (json.nextToken() != JsonToken.END_ARRAY) {
                NacosInstance one = NacosInstance.read("instances", json);
                ids.add(NacosNames.instance(service, one.cluster(), one.ip(), one.port()));
                if (ids.size() > MOST) {
                    throw new InvalidValueException("instances", "more", "at most " + MOST);
                }
            }
        } catch (IOException e) {
            throw new InvalidValueException("instances", named, "a JSON list of objects");
        }
        return ids;
    }
}
