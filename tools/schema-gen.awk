# SPDX-License-Identifier: MIT
# The tables of cluster/schema as C: awk -f tools/schema-gen.awk cluster/schema/*.tsv >build/gen/schema_tables.h
# Which table a file is, its name says. Made for any POSIX awk: no sorting or length of arrays built in.
BEGIN {
	FS = "\t"
	split("string bool int32 int64 double byte any object json", names, " ")
	split("STRING BOOL INT32 INT64 DOUBLE BYTES ANY ANY ANY", scalars, " ")
	for (i = 1; i in names; i++)
		builtin(names[i], scalars[i])
	builtin("[]string", "STRINGS")
	builtin("api.resource.Quantity", "QUANTITY")
	builtin("meta.v1.Time", "TIME")
	builtin("meta.v1.MicroTime", "MICROTIME")
	builtin("meta.v1.Duration", "DURATION")
	builtin("util.intstr.IntOrString", "INT_OR_STRING")
	builtin("runtime.RawExtension", "RAW")
	builtin("meta.v1.FieldsV1", "FIELDS_V1")
}
function builtin(name, what) { scalar[name] = what; add_type(name) }
function add_type(name) { if (!(name in type_index)) { type_index[name] = type_count; type_name[type_count++] = name } }
function basename(path, parts, n) { n = split(path, parts, "/"); return parts[n] }
FNR == 1 { table = basename(FILENAME); header = 1 }
/^#/ { next }
header { header = 0; next }
table == "fields.tsv" || table == "more-fields.tsv" {
	add_type($1)
	if ($2 == "-") {
		if (!($1 in scalar))
			scalar[$1] = "ANY"
		next
	}
	key = $1 SUBSEP $2
	if (!(key in json))
		raw_field[$1, raw_count[$1]++] = $2
	json[key] = $3; proto[key] = $4; required[key] = $5 != ""; deflt[key] = $6; values[key] = $7; list[key] = $8; patch[key] = $9
	next
}
table == "go.tsv" {
	if ($2 == "-") { atomic[$1] = 1; next }
	key = $1 SUBSEP $2
	go_field[$1, go_count[$1]++] = $2
	go[key] = $3; flags[key] = $4
	if ($5 != "")
		go_proto[key] = $5
	next
}
table == "published.tsv" { if ($3 != "") values[$1, $2] = $3; if ($4 != "") deflt[$1, $2] = $4; next }
table == "defaults.tsv" { default_row[default_count++] = $0; next }
table == "text.tsv" { text[$1, $2] = $3; next }
table == "storage.tsv" { storage[$1, $2] = $3; next }
table == "kinds.tsv" || table == "more-kinds.tsv" { kind_row[kind_count++] = $0; next }
table == "columns.tsv" || table == "more-columns.tsv" {
	k = $1 SUBSEP $2
	column[k, column_count[k]++] = $3 "\t" $4 "\t" $5 "\t" $6 "\t" $7
	next
}
function quote(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }
function or_null(s) { return s == "" ? "NULL" : quote(s) }
# A NULL-terminated list of words; equal lists are one array.
function words(s, n, parts, i, out) {
	if (s == "")
		return "NULL"
	if (!(s in list_index)) {
		list_index[s] = list_count++
		n = split(s, parts, ",")
		out = ""
		for (i = 1; i <= n; i++)
			out = out quote(parts[i]) ", "
		printf "static const char *const words_%d[] = {%sNULL};\n", list_index[s], out
	}
	return "words_" list_index[s]
}
function inside(s) { if (s !~ /\(/) return ""; sub(/^[^(]*\(/, "", s); sub(/\).*$/, "", s); return s }
function item_type(s) {
	if (s == "map:[]string")
		return "[]string"
	sub(/^\[\]/, "", s); sub(/^map:/, "", s)
	sub(/^string:date-time$/, "meta.v1.Time", s); sub(/^any:int-or-string$/, "util.intstr.IntOrString", s)
	return s
}
function shape_of(s) { return s ~ /^\[\]/ ? "LIST" : s ~ /^map:/ ? "MAP" : "ONE" }
function list_type(key, shape, item) {
	if (list[key] ~ /^map\(/) return "KEYED"
	if (list[key] == "set") return "SET"
	if (shape == "LIST") return "ATOMIC"
	if (list[key] == "map-atomic" || list[key] == "atomic") return "ATOMIC"
	if (list[key] == "map-granular") return "GRANULAR"
	return shape == "ONE" && ((item in atomic) || scalar[item] != "") ? "ATOMIC" : "GRANULAR"
}
# Fields of a type in the order of go.tsv, else by protobuf number.
function order_fields(t, i, j, n, f, seen) {
	n = 0
	for (i = 0; i < go_count[t]; i++)
		if ((t, go_field[t, i]) in json) { field[t, n++] = go_field[t, i]; seen[go_field[t, i]] = 1 }
	split("kind apiVersion metadata", head, " ")
	for (i = 1; i in head; i++)
		if (((t, head[i]) in json) && !(head[i] in seen)) { field[t, n++] = head[i]; seen[head[i]] = 1 }
	for (i = 0; i < raw_count[t]; i++) {
		f = raw_field[t, i]
		if (f in seen)
			continue
		for (j = n; j > 0 && proto[t, field[t, j - 1]] + 0 > proto[t, f] + 0 && !((t, field[t, j - 1]) in go); j--)
			field[t, j] = field[t, j - 1]
		field[t, j] = f
		n++
	}
	field_count[t] = n
}
function print_fields(id, t, i, f, key, item, shape, d, line) {
	order_fields(t)
	line = ""
	for (i = 0; i < field_count[t]; i++) {
		f = field[t, i]; key = t SUBSEP f; item = item_type(json[key]); shape = shape_of(json[key])
		d = patch[key]
		if (!(item in type_index)) { print "schema-gen: no type " item " of " t "." f >"/dev/stderr"; exit 1 }
		line = line sprintf("\t{.name = %s, .type = &schema_static_types[%d], .shape = SCHEMA_%s, .proto = \"%s\", .go = %s, .required = %d, " \
			".pointer = %d, .keep = %d, .deflt = %s, .values = %s, .list_type = SCHEMA_%s, .list_keys = %s, .patch_merge = %d, " \
			".patch_replace_keys = %d, .patch_retain = %d, .patch_key = %s, .text = %s},\n",
			quote(f), type_index[item], shape, (key in go_proto) ? go_proto[key] : proto[key], or_null(go[key]), required[key],
			flags[key] ~ /p/, flags[key] ~ /k/, or_null(deflt[key]), words(values[key]), list_type(key, shape, item),
			words(list[key] ~ /^map\(/ ? inside(list[key]) : ""), d ~ /merge/, d ~ /replace/, d ~ /retainKeys/,
			or_null(inside(d)), or_null(text[key]))
	}
	printf "static const struct schema_field fields_%d[] = {\n%s};\n", id, line
	print_sorted(id, t)
}
# Indexes of the fields by name, for binary search.
function print_sorted(id, t, i, j, n, s, line) {
	n = field_count[t]
	for (i = 0; i < n; i++) {
		for (j = i; j > 0 && field[t, s[j - 1]] "" > field[t, i] ""; j--)
			s[j] = s[j - 1]
		s[j] = i
	}
	line = ""
	for (i = 0; i < n; i++)
		line = line s[i] ", "
	printf "static const uint16_t sorted_%d[] = {%s};\n", id, line
}
# Index of a field in the order of its type, once its fields are printed.
function index_of(t, f, i) {
	for (i = 0; i < field_count[t]; i++)
		if (field[t, i] == f)
			return i
	print "schema-gen: no field " f " of " t >"/dev/stderr"
	exit 1
}
# Rows of defaults.tsv, then what the published schema defaults (a required field's 0 or "" is no default).
function print_defaults(i, j, t, f, key, r, n) {
	print "static const struct schema_default_row schema_default_rows[] = {"
	for (i = 0; i < default_count; i++) {
		n = split(default_row[i], r, "\t")
		printf "\t{%d, %d, %s, %s},\n", type_index[r[1]], index_of(r[1], r[2]), quote(r[3]), quote(n > 3 ? r[4] : "")
	}
	for (i = 0; i < type_count; i++)
		for (j = 0; j < field_count[type_name[i]]; j++) {
			t = type_name[i]; f = field[t, j]; key = t SUBSEP f
			if (deflt[key] != "" && !required[key] && (t ~ /^gateway/ || deflt[key] !~ /^(0|false|"")$/))
				printf "\t{%d, %d, %s, \"\"},\n", i, j, quote(deflt[key])
		}
	print "};"
}
function verb_mask(s, parts, n, i, out) {
	n = split(s, parts, ",")
	out = "0"
	for (i = 1; i <= n; i++)
		out = out " | " (parts[i] == "list" ? "SCHEMA_LIST_VERB" : "SCHEMA_" toupper(parts[i]))
	return out
}
# "v1" as group and version; "apps/v1" likewise
function group_of(gv) { if (gv !~ /\//) return ""; sub(/\/.*/, "", gv); return gv }
function version_of(gv) { sub(/.*\//, "", gv); return gv }
function type_of(gv, kind, g) { g = group_of(gv); sub(/\..*/, "", g); return (g == "" ? "core" : g) "." version_of(gv) "." kind }
# name=group/version.Kind[verbs]
function print_subresources(id, gv, s, parts, n, i, name, what, verbs, g, k, line) {
	n = split(s, parts, " ")
	line = ""
	for (i = 1; i <= n; i++) {
		name = parts[i]; sub(/=.*/, "", name)
		what = parts[i]; sub(/^[^=]*=/, "", what)
		verbs = what; sub(/^.*\[/, "", verbs); sub(/\]$/, "", verbs); sub(/\[.*/, "", what)
		g = gv
		k = what
		if (what ~ /\//) { g = what; sub(/\.[^.]*$/, "", g); sub(/^.*\./, "", k) }
		line = line sprintf("\t{.name = %s, .group = %s, .version = %s, .kind = %s, .verbs = %s},\n",
			quote(name), quote(group_of(g)), quote(version_of(g)), quote(k), verb_mask(verbs))
	}
	if (n)
		printf "static const struct schema_subresource subresources_%d[] = {\n%s};\n", id, line
	return n
}
function print_columns(id, k, resource, i, c, line) {
	line = ""
	for (i = 0; i < column_count[k]; i++) {
		split(column[k, i], c, "\t")
		line = line sprintf("\t{.name = %s, .type = %s, .format = %s, .priority = %d, .text = %s, .path = %s},\n", quote(c[1]), quote(c[2]), quote(c[3]),
			c[4], or_null(text[resource, c[1]]), or_null(c[5]))
	}
	if (line != "")
		printf "static const struct schema_column columns_%d[] = {\n%s};\n", id, line
	return column_count[k] + 0
}
END {
	for (i = 0; i < kind_count; i++) {
		split(kind_row[i], r, "\t")
		kind_at[r[1], r[2]] = i
		add_type(type_of(r[1], r[2]))
	}
	print "/* Made by tools/schema-gen.awk: do not edit. */"
	printf "#define SCHEMA_STATIC_TYPES %d\n#define SCHEMA_STATIC_KINDS %d\n", type_count, kind_count
	print "static const struct schema_type schema_static_types[SCHEMA_STATIC_TYPES];"
	print "static const struct schema_kind schema_static_kinds[SCHEMA_STATIC_KINDS];"
	for (i = 0; i < type_count; i++)
		if (raw_count[type_name[i]])
			print_fields(i, type_name[i])
	print "static const struct schema_type schema_static_types[SCHEMA_STATIC_TYPES] = {"
	for (i = 0; i < type_count; i++) {
		t = type_name[i]
		if (raw_count[t])
			printf "\t{.name = %s, .scalar = SCHEMA_MESSAGE, .fields = fields_%d, .field_count = %d, .sorted = sorted_%d, .id = %d, .text = %s, .atomic = %d},\n",
				quote(t), i, field_count[t], i, i + 1, or_null(text[t, "-"]), (t in atomic)
		else
			printf "\t{.name = %s, .scalar = SCHEMA_%s, .id = %d, .atomic = true},\n", quote(t), t in scalar ? scalar[t] : "ANY", i + 1
	}
	print "};"
	print_defaults()
	lines = ""
	for (i = 0; i < kind_count; i++) {
		n = split(kind_row[i], r, "\t")
		for (j = n + 1; j <= 9; j++)
			r[j] = ""
		subs = print_subresources(i, r[1], r[9])
		cols = print_columns(i, r[1] SUBSEP r[3], r[3])
		st = (r[1], r[2]) in storage ? kind_at[storage[r[1], r[2]], r[2]] : i
		lines = lines sprintf("\t{.group = %s, .version = %s, .kind = %s, .list_kind = %s, .resource = %s, .singular = %s, .api_version = %s, " \
			".namespaced = %d, .verbs = %s, .short_names = %s, .categories = %s, .subresources = %s, .subresource_count = %d, .columns = %s, " \
			".column_count = %d, .type = &schema_static_types[%d], .storage = &schema_static_kinds[%d], .unstored = %d, .index = %d},\n",
			quote(group_of(r[1])), quote(version_of(r[1])), quote(r[2]), quote(r[2] "List"), quote(r[3]), quote(r[4]), quote(r[1]),
			r[5] == "namespaced", verb_mask(r[6]), r[7] == "" ? "schema_empty_words" : words(r[7]), r[8] == "" ? "schema_empty_words" : words(r[8]),
			subs ? "subresources_" i : "NULL", subs, cols ? "columns_" i : "NULL", cols, type_index[type_of(r[1], r[2])], st,
			("," r[6] ",") !~ /,watch,/, i)
	}
	printf "static const struct schema_kind schema_static_kinds[SCHEMA_STATIC_KINDS] = {\n%s};\n", lines
}
