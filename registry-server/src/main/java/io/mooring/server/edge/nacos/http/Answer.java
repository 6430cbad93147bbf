package io.mooring.server.edge.nacos.http;

import io.mooring.server.edge.nacos.NacosJson;

/** What a handler has to say, before it takes the form of its generation of the interface. */
sealed interface Answer {
    /** A value; a text stands as it is in v1. */
    record Text(String text) implements Answer {}

    /** A value, as JSON. */
    record Json(NacosJson.Body value) implements Answer {}

    /** It did not go as asked, and that is no error: 200, with a code in the envelope. */
    record Notice(int code, String words) implements Answer {}

    Answer OK = new Text("ok");

    static Answer json(NacosJson.Body value) {
        return new Json(value);
    }

    static Answer truth(boolean value) {
        return new Json(json -> json.writeBoolean(value));
    }
}
