package io.mooring.server.edge.nacos.http;

import io.mooring.server.lease.Outcome;
import io.mooring.server.web.UrlText;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** A request on its way through a handler. */
final class Call {
    private final HttpServletRequest request;
    private final Route route;
    private final Parameters parameters;
    private final Later later;

    /** Does something on the core's loop and answers when that has. */
    interface Later {
        <T> void answer(Consumer<Consumer<T>> task, Function<T, Answer> answer);
    }

    Call(HttpServletRequest request, Route route, Parameters parameters, Later later) {
        this.request = request;
        this.route = route;
        this.parameters = parameters;
        this.later = later;
    }

    Parameters parameters() {
        return parameters;
    }

    Generation generation() {
        return route.generation();
    }

    /** What stands behind that beginning of the path, decoded. */
    String rest(String beginning) {
        String rest = NacosHttp.pathOf(request).substring(beginning.length());
        StringBuilder decoded = new StringBuilder();
        UrlText.pairs(
                "path",
                rest.replace("+", "%2B").replace("=", "%3D").replace("&", "%26"),
                (name, value) -> decoded.append(name));
        return decoded.toString();
    }

    /** The address the connection comes from; what else a request says about that proves nothing. */
    String from() {
        return request.getRemoteAddr();
    }

    /** Who asks, for the record of what was done. */
    String actor() {
        return "nacos-http:" + from();
    }

    /** @param answer may throw {@link FaultException} */
    <T> Optional<Answer> later(Consumer<Consumer<T>> task, Function<T, Answer> answer) {
        later.answer(task, answer);
        return Optional.empty();
    }

    /** Answers {@code accepted} once the core has accepted it. */
    Optional<Answer> whenAccepted(Consumer<Consumer<Outcome>> task, Supplier<Answer> accepted) {
        return later(task, outcome -> {
            if (outcome instanceof Outcome.Refused refused) {
                throw FaultException.of(refused);
            }
            return accepted.get();
        });
    }

    Optional<Answer> whenAccepted(Consumer<Consumer<Outcome>> task) {
        return whenAccepted(task, () -> Answer.OK);
    }
}
