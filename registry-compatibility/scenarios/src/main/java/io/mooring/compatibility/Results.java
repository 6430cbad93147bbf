package io.mooring.compatibility;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** All results of a run, as a table: a line per scenario, a column per client. */
record Results(List<Result> all) {
    Results {
        all = List.copyOf(all);
    }

    long failed() {
        return all.stream().filter(result -> result.failure() != null).count();
    }

    /** @param heading when, and of which commit */
    String markdown(String heading) {
        Set<String> clients = new LinkedHashSet<>();
        Set<String> scenarios = new LinkedHashSet<>();
        all.forEach(result -> {
            clients.add(result.client());
            scenarios.add(result.scenario());
        });
        Map<String, Integer> notes = new LinkedHashMap<>();
        StringBuilder out = new StringBuilder(heading).append("\n\n| |");
        clients.forEach(client -> out.append(' ').append(client).append(" |"));
        out.append("\n|---|").append("---|".repeat(clients.size())).append('\n');
        for (String scenario : scenarios) {
            out.append("| ").append(scenario).append(" |");
            for (String client : clients) {
                out.append(' ').append(cell(client, scenario, notes)).append(" |");
            }
            out.append('\n');
        }
        out.append("\nPassed: ")
                .append(all.stream().filter(Result::passed).count())
                .append(", failed: ")
                .append(failed())
                .append(", not played: ")
                .append(all.stream().filter(result -> result.skipped() != null).count())
                .append(".");
        if (!notes.isEmpty()) {
            out.append(notes.entrySet().stream()
                    .map(note -> note.getValue() + ": " + note.getKey())
                    .collect(Collectors.joining("; ", " ", ".")));
        }
        return out.append('\n').toString();
    }

    private String cell(String client, String scenario, Map<String, Integer> notes) {
        Optional<Result> found = all.stream()
                .filter(result ->
                        result.client().equals(client) && result.scenario().equals(scenario))
                .findFirst();
        if (found.isEmpty()) {
            return "";
        }
        String skipped = found.get().skipped();
        if (skipped != null) {
            return "\u2013 (" + notes.computeIfAbsent(skipped, each -> notes.size() + 1) + ")";
        }
        return found.get().passed() ? "passed" : "**failed**";
    }

    /** In the order of clients, and for each of scenarios. */
    static Results sorted(List<Client> clients, List<Result> results) {
        List<Result> out = new ArrayList<>();
        for (Client client : clients) {
            results.stream()
                    .filter(result -> result.client().equals(client.name()))
                    .forEach(out::add);
        }
        return new Results(out);
    }
}
