package io.mooring.server.edge.nacos;

import org.jspecify.annotations.Nullable;

/** Who may do something. Any thread. */
public interface Access {
    /** Whether requests need a token at all. */
    boolean required();

    /** @param token as login gave it; null if the request brings none */
    boolean allows(@Nullable String token);

    /** Nobody has to say who they are. */
    Access OPEN = new Access() {
        @Override
        public boolean required() {
            return false;
        }

        @Override
        public boolean allows(@Nullable String token) {
            return true;
        }
    };
}
