# SPDX-License-Identifier: MIT
# The catalogue of images as C: awk -f tools/images-gen.awk cluster/kubelet/image-files.tsv cluster/kubelet/images.tsv
# >build/gen/image_tables.h. Made for any POSIX awk.
BEGIN { FS = "\t" }
FNR == 1 { header = 1; table++ }
/^#/ { next }
header { columns = NF; header = 0; next }
NF != columns { bad("has " NF " columns, not " columns) }
table == 1 { file_row(); next }
{ image_row() }
function bad(why) { printf "%s:%d: %s\n", FILENAME, FNR, why >"/dev/stderr"; failed = 1; exit 1 }
function plain(s) { return s == "-" ? "NULL" : "\"" s "\"" }
function name_of(set) { gsub(/[^a-z0-9]/, "_", set); return "image_files_" set }
# "21M" -> bytes; "150ms" -> nanoseconds
function amount(s, n, unit) {
	if (s == "-")
		return 0
	n = s; unit = s
	sub(/[A-Za-z]+$/, "", n); sub(/^[0-9.]+/, "", unit)
	if (!(unit in factor) || n !~ /^[0-9]+$/)
		bad("'" s "' is no amount")
	return n "LL" factor[unit]
}
BEGIN {
	factor[""] = ""; factor["k"] = " * 1000"; factor["M"] = " * 1000000"; factor["Ki"] = " * 1024"; factor["Mi"] = " * 1048576"
	factor["ms"] = " * KT_MS"; factor["s"] = " * KT_SEC"
}
function number(s) { if (s == "-") return 0; if (s !~ /^[0-9]+$/) bad("'" s "' is no number"); return s }
# "nginx -g 'daemon off;'" -> a NULL-terminated list
function words(s, out, word, quoted) {
	if (s == "-")
		return "NULL"
	out = ""
	while (s != "") {
		quoted = substr(s, 1, 1) == "'"
		if (quoted ? !match(s, /^'[^']*'/) : !match(s, /^[^ ]+/))
			bad("'" s "' is no list of words")
		word = quoted ? substr(s, 2, RLENGTH - 2) : substr(s, 1, RLENGTH)
		s = substr(s, RLENGTH + 1)
		sub(/^ +/, "", s)
		gsub(/\\/, "\\\\", word); gsub(/"/, "\\\"", word)
		out = out "\"" word "\", "
	}
	return "(const char *const[]){" out "NULL}"
}
function file_row(text, mode) {
	if ($1 != set) {
		if (set != "")
			print "        {NULL, NULL, 0}};"
		set = $1
		sets[set_count++] = set
		known[set] = 1
		printf "static const struct files_seed %s[] = {\n", name_of(set)
	}
	text = $5
	gsub(/"/, "\\\"", text)
	mode = $3 == "-" ? "0" : "0" $3
	if ($4 != "-")
		mode = "FILES_OWNED(" $4 ") | " mode
	printf "        {\"%s\", %s, %s},\n", $2, $5 == "/" ? "NULL" : "\"" text "\"", mode
}
function image_row(newest, parts) {
	if (!started++) {
		print "        {NULL, NULL, 0}};"
		print "static const struct image image_rows[] = {"
	}
	if ($11 != "-" && !($11 in known))
		bad("there is no set of files '" $11 "'")
	newest = substr($3, 1, 2) == "<="
	split(newest ? substr($3, 3) : "0.0", parts, ".")
	printf "        {.name = \"%s\", .tag = %s, .versions = %s, .newest_major = %d, .newest_minor = %d, .tagged_v = %s,\n", \
	       $1, plain($2), newest ? "NULL" : plain($3), parts[1], parts[2], $4 == "v" ? "true" : "false"
	printf "         .entrypoint = %s, .command = %s, .env = %s,\n", words($5), words($6), words($7)
	printf "         .user = %s, .working_dir = %s, .tools = \"%s\", .files = %s,\n", plain($8), plain($9), $10, \
	       $11 == "-" ? "NULL" : name_of($11)
	printf "         .port = %d, .start = %s, .work = %s, .size = %s, .memory = %s, .cpu_milli = %d},\n", \
	       number($12), amount($13), amount($14), amount($15), amount($16), number($17)
}
END {
	if (failed)
		exit 1
	print "};"
	print "static const struct {\n\tconst char *name;\n\tconst struct files_seed *files;\n} image_sets[] = {"
	for (i = 0; i < set_count; i++)
		printf "        {\"%s\", %s},\n", sets[i], name_of(sets[i])
	print "};"
}
