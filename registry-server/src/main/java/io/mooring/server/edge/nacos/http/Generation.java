package io.mooring.server.edge.nacos.http;

/** Which of the three interfaces a path belongs to. */
enum Generation {
    /** Answers bare, complains in plain text. */
    V1,
    /** Answers and complains in an envelope. */
    V2,
    /** As v2. */
    V3;

    static Generation of(String path) {
        return path.startsWith("/v2/") ? V2 : path.startsWith("/v3/") ? V3 : V1;
    }
}
