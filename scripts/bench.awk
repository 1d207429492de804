# Turns the output of benchmarks, and the measured attributes of tests, into rows of a table
# with their ratios and counts. Times are left out: they depend on the machine.
function row(name, text) {
	sub(/^(Benchmark|Test)/, "", name)
	sub(/-[0-9]+$/, "", name)
	gsub(/\|/, "/", name)
	print "| `" package "` | `" name "` | " text " |"
}
/^bench: / {
	package = $2
	if ($3 == "FAILED")
		print "| `" package "` | all | failed |"
}
/^Benchmark/ {
	text = ""
	for (i = 3; i < NF; i += 2) {
		if ($(i + 1) ~ /^(ns\/op|MB\/s|B\/op|allocs\/op)$|-m?s$/)
			continue
		text = text (text == "" ? "" : ", ") $i " " $(i + 1)
	}
	if (text != "")
		row($1, text)
}
/^=== ATTR .* measured / {
	name = $3
	sub(/^.* measured /, "")
	row(name, $0)
}
