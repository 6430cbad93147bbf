package io.mooring.server.edge.nacos.http;

import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.server.edge.nacos.Missing;
import io.mooring.server.edge.nacos.NacosSettings;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.push.Subscriber;
import io.mooring.server.push.Update;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.BiConsumer;

/** One client that hears of one service by UDP. */
final class UdpSubscriber implements Subscriber {
    private final Key key;
    private final RegistryNode node;
    private final BiConsumer<UdpSubscriber, ServiceView> send;
    private volatile long heardAt;
    private volatile boolean listens = true;
    private ServiceView told; // on the loop
    private double threshold; // told with it; on the loop
    private long inFlight; // the number of its datagram; on the I/O thread
    private boolean busy; // until its ack, or for a moment; on the I/O thread

    /**
     * @param clusters as it asked for them
     * @param at where it listens
     */
    record Key(ServiceKey service, String clusters, InetSocketAddress at) {}

    /**
     * @param told what it has
     * @param send is called on the loop
     */
    UdpSubscriber(Key key, RegistryNode node, ServiceView told, BiConsumer<UdpSubscriber, ServiceView> send, long now) {
        this.key = key;
        this.told = told;
        this.threshold = NacosSettings.threshold(node, key.service());
        this.node = node;
        this.send = send;
        this.heardAt = now;
    }

    Key key() {
        return key;
    }

    @Override
    public void deliver(List<Update> updates) {
        Update update = updates.get(updates.size() - 1);
        ServiceView view = update.view();
        // What is held back here comes when the node is no longer incomplete.
        boolean lacks = update.incomplete() && Missing.withoutCause(told.instances(), view);
        double settled = NacosSettings.threshold(node, key.service());
        if (lacks || view.digest() == told.digest() && settled == threshold) {
            node.loop().execute(() -> node.ready(this));
        } else {
            told = view;
            threshold = settled;
            send.accept(this, view);
        }
    }

    /** On the loop: something that is no part of the view may be different now. */
    void settled() {
        if (NacosSettings.threshold(node, key.service()) != threshold) {
            node.subscribe(this, key.service(), OptionalLong.empty());
        }
    }

    void heard(long now) {
        heardAt = now;
    }

    long heardAt() {
        return heardAt;
    }

    /** Whether what it was sent last arrived, as far as one can tell. */
    boolean listens() {
        return listens;
    }

    void listens(boolean now) {
        listens = now;
    }

    // ---- on the I/O thread

    /** @return the number of the datagram that this one takes the place of */
    long sent(long number) {
        long before = inFlight;
        inFlight = number;
        busy = true;
        return before;
    }

    /** @return whether it was not free before */
    boolean free() {
        boolean before = busy;
        busy = false;
        return before;
    }
}
