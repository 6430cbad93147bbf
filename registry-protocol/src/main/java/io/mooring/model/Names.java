package io.mooring.model;

/**
 * The rules for names, in one place. All of them are ASCII without white space, so a name fits into a log line. Names of services
 * are as free as registries in use have them, but for what would make the grouped form {@code group@@service} ambiguous;
 * the others fit into a URL without quoting.
 */
final class Names {
    static final int MAX_NAMESPACE = 64;
    static final int MAX_GROUP = 128;
    static final int MAX_SERVICE = 512;
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
        boolean fits =
                !value.isEmpty() && value.length() <= MAX_SERVICE && value.charAt(0) != '@' && !value.contains("@@");
        for (int i = 0; fits && i < value.length(); i++) {
            fits = value.charAt(i) > ' ' && value.charAt(i) <= '~';
        }
        if (!fits) {
            throw new InvalidValueException(
                    "service", value, "1-" + MAX_SERVICE + " visible ASCII characters, the first not '@', and no '@@'");
        }
        return value;
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
