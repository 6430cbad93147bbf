package io.mooring.server.config;

import jakarta.servlet.http.HttpServletRequest;
import org.jspecify.annotations.Nullable;
import org.springframework.web.cors.CorsConfiguration;
import org.springframework.web.servlet.HandlerExecutionChain;
import org.springframework.web.servlet.function.support.RouterFunctionMapping;

/**
 * Routes that know nothing of pages from elsewhere: a browser's question before such a request is answered like any
 * other OPTIONS, without leave, and the browser keeps the page from asking further.
 */
final class RoutesWithoutCors extends RouterFunctionMapping {
    @Override
    protected HandlerExecutionChain getCorsHandlerExecutionChain(
            HttpServletRequest request, HandlerExecutionChain chain, @Nullable CorsConfiguration config) {
        return chain;
    }
}
