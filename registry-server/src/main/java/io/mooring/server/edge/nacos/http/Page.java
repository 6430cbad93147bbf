package io.mooring.server.edge.nacos.http;

import io.mooring.model.InvalidValueException;
import java.util.List;

/**
 * A part of a list, as tools ask for it.
 *
 * @param number from 1
 * @param size at least 1; some ask for all there can be
 */
record Page(int number, int size) {
    Page {
        if (size < 1) {
            throw new InvalidValueException("pageSize", size, "1 or more");
        }
        number = Math.max(1, number); // 0 is the first page to some
    }

    static Page of(Parameters parameters, int otherwise) {
        return new Page(parameters.whole("pageNo", 1), parameters.whole("pageSize", otherwise));
    }

    /** Where both must be said. */
    static Page required(Parameters parameters) {
        parameters.required("pageNo");
        parameters.required("pageSize");
        return of(parameters, 1);
    }

    <T> List<T> of(List<T> all) {
        long from = Math.min((long) (number - 1) * size, all.size());
        long to = Math.min(from + size, all.size());
        return all.subList((int) from, (int) to);
    }

    int pages(int all) {
        return (int) (((long) all + size - 1) / size);
    }
}
