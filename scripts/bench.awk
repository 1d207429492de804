# Turns the output of benchmarks into a table of their ratios and counts. Times are left out:
# they depend on the machine.
BEGIN {
	print ""
	print "| benchmark | ratios and counts |"
	print "|---|---|"
}
/^Benchmark/ {
	text = ""
	for (i = 3; i < NF; i += 2) {
		if ($(i + 1) ~ /^(ns\/op|MB\/s|B\/op|allocs\/op)$|-m?s$/)
			continue
		text = text (text == "" ? "" : ", ") $i " " $(i + 1)
	}
	if (text == "")
		next
	name = $1
	sub(/^Benchmark/, "", name)
	sub(/-[0-9]+$/, "", name)
	gsub(/\|/, "/", name)
	print "| `" name "` | " text " |"
}
/^bench: .* FAILED$/ { print "| `" $2 "` | failed |" }
END { print "" }
