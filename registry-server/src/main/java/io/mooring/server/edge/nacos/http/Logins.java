package io.mooring.server.edge.nacos.http;

import io.mooring.server.edge.nacos.Users;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Who may ask. Logging in works without users, too: clients that are set up with a name log in wherever they are. */
final class Logins {
    private static final String BEARER = "Bearer ";

    private final Users users;

    Logins(Users users) {
        this.users = users;
    }

    Optional<Answer> login(Call call) {
        Parameters given = call.parameters();
        String name = given.text("username");
        Users.Login login = users.login(name, given.raw("password"), call.from());
        if (login instanceof Users.Login.Refused refused) {
            throw new FaultException(Fault.FORBIDDEN, refused.sentence());
        }
        String token = ((Users.Login.Welcome) login).token();
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            json.writeStringField("accessToken", token);
            json.writeNumberField("tokenTtl", Users.TOKEN_LIFE.toSeconds());
            json.writeBooleanField("globalAdmin", true);
            json.writeStringField("username", name);
            json.writeEndObject();
        }));
    }

    /** @throws FaultException if whoever asks has to say who they are, and does not */
    void check(HttpServletRequest request, Parameters given) {
        if (users.required() && !users.allows(token(request, given)) && !allowsPassword(request, given)) {
            throw new FaultException(Fault.FORBIDDEN, "token invalid! log in and bring accessToken along");
        }
    }

    private static @Nullable String token(HttpServletRequest request, Parameters given) {
        String token = given.text("accessToken");
        if (!token.isEmpty()) {
            return token;
        }
        String header = request.getHeader("accessToken");
        if (header != null && !header.isBlank()) {
            return header.strip();
        }
        String bearer = request.getHeader("Authorization");
        return bearer != null && bearer.regionMatches(true, 0, BEARER, 0, BEARER.length())
                ? bearer.substring(BEARER.length()).strip()
                : null;
    }

    private boolean allowsPassword(HttpServletRequest request, Parameters given) {
        return given.has("username")
                && users.login(given.text("username"), given.raw("password"), request.getRemoteAddr())
                        instanceof Users.Login.Welcome;
    }
}
