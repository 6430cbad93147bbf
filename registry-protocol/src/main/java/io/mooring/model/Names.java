package io.mooring.model;

/**
 * The rules for names, in one place. All of them are ASCII without white space, slashes or {@code @}, so a name
 * fits into a URL, a log line and the grouped form {@code group@@service} without quoting.
 */
final class Names {
    static final int MAX_NAMESPACE = 64;
    static final int MAX_GROUP = 128;
    static final int MAX_SERVICE = 255;
    static final int MAX_CLUSTER = 64;
    static final int MAX_HOST = 253;

    private Names() {}

    static String namespace(String value) {
        return check("namespace", value, MAX_NAMESPACE, "_-.", "letters, digits, '_', '-', '.'");
    }

    static String group(String value) {
        return check("group", value, MAX_GROUP, "_-.:", "letters, digits, '_', '-', '.', ':'");
    }

    static String service(String value) {
        return check("service", value, MAX_SERVICE, "_-.:$+~", "letters, digits, '_', '-', '.', ':', '$', '+', '~'");
    }

    static String cluster(String value) {
        return check("cluster", value, MAX_CLUSTER, "_-.", "letters, digits, '_', '-', '.'");
    }

    static String host(String value) {
        return check("host", value, MAX_HOST, "_-.:%", "an IP address or host name without brackets");
    }

    private static String check(String field, String value, int longest, String punctuation, String alphabet) {
        boolean fits = !value.isEmpty() && value.length() <= longest;
        for (int i = 0; fits && i < value.length(); i++) {
            char c = value.charAt(i);
            fits = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || punctuation.indexOf(c) >= 0;
        }
        if (!fits) {
            throw new InvalidValueException(field, value, "1-" + longest + " characters: " + alphabet);
        }
        return value;
    }
}
