package io.mooring.server.edge.probe;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/**
 * Which addresses may be asked on somebody's behalf. Literal ones only, so that no resolver can lead elsewhere; and not this
 * machine itself nor its link, where what trusts its neighbours listens (metadata services, consoles), unless that is allowed.
 */
final class AddressRules {
    private final boolean local;

    /** @param local whether this machine and its link may be asked */
    AddressRules(boolean local) {
        this.local = local;
    }

    /** The address, if it may be asked. */
    Optional<InetAddress> allowed(String host) {
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(host);
        if (bytes == null) {
            return Optional.empty();
        }
        try {
            InetAddress address = InetAddress.getByAddress(bytes); // an IPv4 address in IPv6 clothes becomes one
            boolean never = address.isAnyLocalAddress() || address.isMulticastAddress() || isBroadcast(address);
            boolean near = address.isLoopbackAddress() || address.isLinkLocalAddress();
            return never || near && !local ? Optional.empty() : Optional.of(address);
        } catch (UnknownHostException e) {
            return Optional.empty(); // cannot be: the bytes are an address
        }
    }

    private static boolean isBroadcast(InetAddress address) {
        for (byte octet : address.getAddress()) {
            if (octet != -1) {
                return false;
            }
        }
        return true;
    }
}
