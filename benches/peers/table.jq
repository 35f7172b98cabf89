# From the report to text: tables that are Markdown too.

def grouped: tostring | explode | reverse | [range(length) as $i | (if $i > 0 and $i % 3 == 0 then 44 else empty end), .[$i]]
    | reverse | implode;
def number: if . == null then "-" elif . >= 100 then (. + 0.5 | floor | grouped) elif . >= 10 then (. * 10 + 0.5 | floor / 10 | tostring)
    else (. * 100 + 0.5 | floor / 100 | tostring) end;
def milliseconds: if . == null then "-" else (. * 100 + 0.5 | floor / 100 | tostring) end;
def padded($width): . + (" " * ($width - length) // "");
def from($width): (" " * ($width - length) // "") + .;

# An array of rows, the first of which is the head; columns named in $numbers stand to the right.
def table($numbers):
    . as $rows
    | [range($rows[0] | length) as $column | [$rows[] | .[$column] | length] | max] as $widths
    | def line: . as $row | "| " + ([range(length) as $column | $row[$column]
          | if $numbers | index($column) then from($widths[$column]) else padded($widths[$column]) end] | join(" | ")) + " |";
      ($rows[0] | line),
      "| " + ([range($widths | length) as $column | "-" * ($widths[$column] - 1)
          | if $numbers | index($column) then . + ":" else . + "-" end] | join(" | ")) + " |",
      ($rows[1:][] | line);

def names: {onhand: "Onhand", redis: "Redis", postgres: "PostgreSQL, one statement", postgres_transaction: "PostgreSQL, transaction",
    axum: "bare axum"};
def works: {
    "hot-64": "reserve, hot SKU, 64 connections", "hot-16": "reserve, hot SKU, 16 connections",
    "hot-1": "reserve, hot SKU, 1 connection", "uniform-64": "reserve, 10,000 SKUs, 64 connections",
    "get-64": "read a level, 64 connections", "batch-4": "batches of 8,000 reserves, 10,000 SKUs, 4 connections"
};
def order: ["hot-64", "uniform-64", "hot-16", "hot-1", "get-64", "batch-4"];
def work($measure; $program): if $program == "axum" and $measure == "hot-64" then "POST and answer JSON, 64 connections"
    elif $program == "axum" then "GET JSON, 64 connections" else works[$measure] end;
def verdict: if has("met") | not then "" elif .met then "met" else "missed" end;

. as $report
| "Onhand beside its peers, \($report.date), commit \($report.commit)",
  "",
  "machine  \(.machine.cores) cores (\(.machine.cpu)), \(.machine.memoryMiB) MiB, \(.machine.system), \(.machine.kernel)",
  "disk     \(.machine.disk); 256 bytes written and synced in \(.machine.syncedAppendMs) ms",
  "load     average \(.machine.loadAverageBefore) before"
      + if (.machine.loadAverageBefore | split(" ")[0] | tonumber) > 0.5 then
          ": NOT QUIET, so that what follows says little" else "" end
      + "; the load generators run on the same cores",
  "rounds   \(.rounds), each measure \(.durationSeconds) s after \(.warmUpSeconds) s; medians, and least to most over the rounds",
  (.programs | to_entries[] | "\(names[.key]): \(.value.version); \(.value.reached); \(.value.load); \(.value.durable)"
      + if .value.settings and .key != "postgres_transaction" then "\n         \(.value.settings | join(" "))" else "" end),
  "",
  ([["work", "program", "a second", "least to most", "p50 ms", "p99 ms"]]
   + [order[] as $measure | ("onhand", "redis", "postgres", "postgres_transaction", "axum") as $program
      | $report.figures[] | select(.measure == $measure and .program == $program)
      | [work($measure; $program), names[$program], (.perSecond.median | number),
         "\(.perSecond.min | number) to \(.perSecond.max | number)", (.p50Ms | milliseconds), (.p99Ms | milliseconds)]]
   | table([2, 3, 4, 5])),
  "",
  ([["Onhand over", "work", "ratio", "least to most", "target", ""]]
   + [.ratios[] | [names[.over], works[.measure] , "\(.median | number)x", "\(.min | number)x to \(.max | number)x",
      (if .least then "\(.target): \(.least)x" else "" end), verdict]]
   + [.batches | select(.) | [
      ["TigerBeetle, pending transfers*", works["batch-4"], "\(.overPendingTransfers | number)x", "", "", ""],
      ["TigerBeetle, plain transfers*", works["batch-4"], "\(.overPlainTransfers | number)x", "",
       "\(.target): \(.leastPerSecond | grouped) a second", verdict]][]]
   | table([2, 3])),
  (.batches | select(.) | "", "* \(.anchors.note): \(.anchors.pendingTransfersPerSecond | grouped) and \(.anchors.plainTransfersPerSecond | grouped) a second."),
  (.refused[] | "", "NO FIGURE for \(names[.program]), \(works[.measure]), round \(.round): \(.refused)")
