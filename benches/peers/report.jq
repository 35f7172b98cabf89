# From the figures of all rounds (an array on stdin) to the report: medians, and ratios of figures of the same round.

def median: sort | if length == 0 then null
    elif length % 2 == 1 then .[length / 2 | floor]
    else (.[length / 2] + .[length / 2 - 1]) / 2 end;
def spread: {median: median, min: min, max: max};

# What is compared, in the order of the table. A target is the least ratio.
def comparisons: [
    {target: "P1", measure: "hot-64", over: "redis", least: 1.0},
    {target: "P1, moonshot", measure: "hot-64", over: "axum", least: 0.8},
    {target: "P2, hot", measure: "hot-64", over: "postgres", least: 60},
    {target: "P2, hot", measure: "hot-64", over: "postgres_transaction", least: 60},
    {target: "P2, uniform", measure: "uniform-64", over: "postgres", least: 10},
    {target: "P2, uniform", measure: "uniform-64", over: "postgres_transaction", least: 10},
    {measure: "uniform-64", over: "redis"},
    {measure: "hot-16", over: "redis"},
    {measure: "hot-16", over: "postgres"},
    {measure: "hot-1", over: "redis"},
    {measure: "hot-1", over: "postgres"},
    {target: "P4", measure: "get-64", over: "axum", least: 0.8}
];

# Measured elsewhere, once, on a machine of this kind; given for the order of magnitude.
def anchors: {
    note: "anchor, not measured here: TigerBeetle, source build of mid-2026, one replica, batches of 8,189",
    pendingTransfersPerSecond: 107000, plainTransfersPerSecond: 291000
};

. as $all
| [$all[] | select(.refused)] as $refused
| def sound($measure; $program): [$refused[] | select(.measure == $measure and .program == $program)] == [];
  def figures($measure; $program):
    if sound($measure; $program) then [$all[] | select(.measure == $measure and .program == $program)] else [] end;
  def ratio($round; $measure; $over):
    (figures($measure; "onhand")[] | select(.round == $round) | .perSecond)
    / (figures($measure; $over)[] | select(.round == $round) | .perSecond);
  {
    date: $date, commit: $commit, rust: $rust, machine: $machine,
    rounds: $rounds, durationSeconds: $duration, warmUpSeconds: $warmUp, programs: $programs,
    figures: ([$all[] | {measure, program}] | unique | map(
        . as {$measure, $program} | figures($measure; $program)
        | select(. != [])
        | {measure: $measure, program: $program, perSecond: (map(.perSecond) | spread),
           p50Ms: (map(.p50Ms) | median), p99Ms: (map(.p99Ms) | median), rounds: map({round, perSecond, p50Ms, p99Ms})})),
    ratios: (comparisons | map(
        . as $comparison
        | [range(1; $rounds + 1) as $round | ratio($round; .measure; .over)]
        | select(. != [])
        | $comparison + spread
        | if .least then . + {met: (.median >= .least)} else . end)),
    batches: (figures("batch-4"; "onhand") | if . == [] then null else (map(.perSecond) | spread) as $rate
        | {target: "P3", perSecond: $rate, leastPerSecond: 300000, met: ($rate.median >= 300000), anchors: anchors,
           overPendingTransfers: ($rate.median / anchors.pendingTransfersPerSecond),
           overPlainTransfers: ($rate.median / anchors.plainTransfersPerSecond)} end),
    refused: $refused
  }
