package io.mooring.server.web;

import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.util.LinkedMultiValueMap;
import org.springframework.util.MultiValueMap;
import org.springframework.web.servlet.ModelAndView;
import org.springframework.web.servlet.function.ServerResponse;

/** Hands request and response over to us once Spring has found the path; the status is decided then, not before. */
public final class Exchange implements ServerResponse {
    /** Answers a request. */
    public interface Handling {
        void handle(HttpServletRequest in, HttpServletResponse out) throws IOException;
    }

    private final Handling handling;

    public Exchange(Handling handling) {
        this.handling = handling;
    }

    @Override
    public HttpStatusCode statusCode() {
        return HttpStatus.OK;
    }

    @Override
    public HttpHeaders headers() {
        return new HttpHeaders();
    }

    @Override
    public MultiValueMap<String, Cookie> cookies() {
        return new LinkedMultiValueMap<>();
    }

    @Override
    public @Nullable ModelAndView writeTo(HttpServletRequest in, HttpServletResponse out, Context context)
            throws IOException {
        handling.handle(in, out);
        return null;
    }
}
