package io.mooring.server.node;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.server.codec.ByteReader;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.codec.ByteWriter;
import io.mooring.server.codec.SharedTexts;
import io.mooring.server.lease.LeaseTable;
import io.mooring.server.lease.Outcome;
import io.mooring.server.replication.PeerMessage;
import io.mooring.server.replication.Replication;
import io.mooring.server.shard.LeaseTerms;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Registration;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** What one node asks another about an instance that has its home there. */
final class Errands {
    private final LeaseTable leases;
    private final Replication replication;
    private final Turns turns;
    private final BooleanSupplier ready;
    private final Supplier<Optional<Outcome>> objection;

    /**
     * @param ready whether this node knows what its peers have; until then it takes no lease over, as what its disk had may
     *     be older, or removed
     * @param objection why nothing may be registered now; empty if it may
     */
    Errands(
            LeaseTable leases,
            Replication replication,
            Turns turns,
            BooleanSupplier ready,
            Supplier<Optional<Outcome>> objection) {
        this.leases = leases;
        this.replication = replication;
        this.turns = turns;
        this.ready = ready;
        this.objection = objection;
    }

    /** The copy that shows, if this node is not the home of the instance. */
    Optional<Replication.Copy> elsewhere(InstanceId instance) {
        return leases.isHome(instance) ? Optional.empty() : replication.find(instance);
    }

    // ---- asked by us

    /**
     * Renews each here or at its home.
     *
     * @param unknown gets those that nobody knows, or that belong to a session
     */
    void renew(List<InstanceId> instances, Consumer<List<InstanceId>> unknown) {
        Renewals renewals = new Renewals(instances.size(), unknown);
        for (InstanceId instance : instances) {
            renew(instance, known -> renewals.answered(instance, known));
        }
    }

    /** Gathers the answers to a list of renewals. */
    private static final class Renewals {
        private final List<InstanceId> unknown = new ArrayList<>();
        private final Consumer<List<InstanceId>> reply;
        private int open;

        Renewals(int open, Consumer<List<InstanceId>> reply) {
            this.open = open;
            this.reply = reply;
            if (open == 0) {
                reply.accept(List.of());
            }
        }

        void answered(InstanceId instance, boolean known) {
            if (!known) {
                unknown.add(instance);
            }
            if (--open == 0) {
                reply.accept(unknown);
            }
        }
    }

    private void renew(InstanceId instance, Consumer<Boolean> known) {
        Optional<Replication.Copy> there = elsewhere(instance);
        if (there.isEmpty()) {
            known.accept(renewHere(instance));
            return;
        }
        Registration copy = there.get().registration();
        NodeId origin = there.get().shard().origin();
        boolean another = leases.hasAnother(instance, copy.publisher());
        if (copy.publisher().isSession() || another) {
            known.accept(false); // given by two nodes that did not know of each other: putting it again decides
        } else if (there.get().originAlive()) {
            ask(origin, instance, renewed -> known.accept(renewed.orElseGet(() -> adopt(instance, copy))));
        } else if (replication.alive().contains(origin)) {
            // It is back, and its disk may have a later word than what it had left elsewhere.
            ask(origin, instance, renewed -> known.accept(renewed.orElse(false) || takeWhatIsLeft(there.get())));
        } else {
            known.accept(takeWhatIsLeft(there.get()));
        }
    }

    /** @param renewed gets whether the node has renewed it; nothing if it does not answer */
    private void ask(NodeId home, InstanceId instance, Consumer<Optional<Boolean>> renewed) {
        byte[] payload = new ByteWriter(128).id(instance).bytes();
        replication.ask(
                home,
                PeerMessage.Ask.of(PeerMessage.Ask.RENEW, payload),
                answer -> renewed.accept(answer.map(PeerMessage.Answer::ok)));
    }

    /**
     * Goes on with what a lost node left. If another node holds it by a word that could not know of this one, it may be older;
     * and if nobody has renewed it for its lease, it may have been taken back where its node was not heard.
     */
    private boolean takeWhatIsLeft(Replication.Copy left) {
        InstanceId instance = left.registration().id();
        LeaseTerms terms = left.registration().publisher().terms();
        boolean isSilent =
                replication.lostFor(left.shard()).compareTo(terms.ttl().plus(terms.grace())) >= 0;
        return !isSilent
                && !replication.isVouched(instance, held -> true)
                && elsewhere(instance).equals(Optional.of(left))
                && adopt(instance, left.registration());
    }

    /** The node that had the lease does not answer: it goes on here, with what is known by now. */
    private boolean adopt(InstanceId instance, Registration copy) {
        return ready.getAsBoolean() && takeOver(instance, copy);
    }

    private boolean takeOver(InstanceId instance, Registration copy) {
        return leases.latest(instance)
                .filter(latest ->
                        latest.publisher().id().equals(copy.publisher().id()))
                .filter(latest -> !leases.isOver(latest)) // whoever has it still may be gone without having heard that
                .filter(latest ->
                        leases.put(latest.instance(), latest.publisher().terms()) instanceof Outcome.Accepted)
                .isPresent();
    }

    /** Has an instance changed at its home. */
    void amend(Replication.Copy there, Instance after, Consumer<Outcome> outcome) {
        String origin = there.shard().origin().name();
        byte[] payload = new ByteWriter(512).instance(after).bytes();
        replication.ask(
                there.shard().origin(),
                PeerMessage.Ask.of(PeerMessage.Ask.AMEND, payload),
                answer ->
                        outcome.accept(answer.map(a -> a.ok() ? Outcome.ACCEPTED : Outcome.refused("unknown", a.text()))
                                .orElseGet(() -> new Outcome.Refused(
                                        "overloaded",
                                        "node: " + origin + ", which holds " + after.id()
                                                + ", does not answer; try again when it is back or the instance has moved",
                                        Duration.ofSeconds(5)))));
    }

    // ---- asked of us

    /** @param reply takes the answer, once; where something changes, when that shows */
    void answer(PeerMessage.Ask ask, Consumer<PeerMessage.Answer> reply) {
        try {
            if (ask.kind() == PeerMessage.Ask.RENEW) {
                InstanceId instance = reader(ask).id();
                reply.accept(ask.answer(renewHere(instance), ""));
            } else if (ask.kind() == PeerMessage.Ask.AMEND) {
                Instance after = reader(ask).instance();
                Outcome outcome = objection.get().orElseGet(() -> leases.amend(after.id(), before -> after));
                String problem = outcome instanceof Outcome.Refused refused ? refused.message() : "";
                turns.whenShown(() -> reply.accept(ask.answer(outcome instanceof Outcome.Accepted, problem)));
            } else {
                reply.accept(
                        ask.answer(false, "this node does not know what to do with a request of kind " + ask.kind()));
            }
        } catch (MalformedException e) {
            reply.accept(ask.answer(false, String.valueOf(e.getMessage())));
        }
    }

    /** Renews it, if this node is its home. @return false when it is not: it is to be put again */
    private boolean renewHere(InstanceId instance) {
        return (leases.isGranted(instance) || ready.getAsBoolean()) && leases.renew(instance);
    }

    private static ByteReader reader(PeerMessage.Ask ask) {
        byte[] payload = ask.payload().bytes();
        return new ByteReader(payload, 0, payload.length, new SharedTexts());
    }
}
