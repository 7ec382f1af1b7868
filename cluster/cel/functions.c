/* SPDX-License-Identifier: MIT */
/* Which functions there are, what they take and give: cel-go common/stdlib, ext (strings 2, sets, two
 * variables), cel/library.go (optional types), apiserver pkg/cel/library. Rows of a function stand together;
 * the first that fits decides what is called. */
#include "cluster/cel/functions.h"

#include <string.h>

#define EACH_ORDER(name, call)                                                                               \
	{name, "(bool,bool)bool", call, CEL_COST_ONE}, {name, "(int,int)bool", call, CEL_COST_ONE},          \
	        {name, "(int,double)bool", call, CEL_COST_ONE},                                              \
	        {name, "(int,uint)bool", call, CEL_COST_ONE}, {name, "(uint,uint)bool", call, CEL_COST_ONE}, \
	        {name, "(uint,double)bool", call, CEL_COST_ONE},                                             \
	        {name, "(uint,int)bool", call, CEL_COST_ONE},                                                \
	        {name, "(double,double)bool", call, CEL_COST_ONE},                                           \
	        {name, "(double,int)bool", call, CEL_COST_ONE},                                              \
	        {name, "(double,uint)bool", call, CEL_COST_ONE},                                             \
	        {name, "(string,string)bool", call, CEL_COST_COMPARE},                                       \
	        {name, "(bytes,bytes)bool", call, CEL_COST_COMPARE},                                         \
	        {name, "(timestamp,timestamp)bool", call, CEL_COST_ONE},                                     \
	{                                                                                                    \
		name, "(duration,duration)bool", call, CEL_COST_ONE                                          \
	}
#define EACH_ITEM(name, call, result_of)                                                                     \
	{name, "list(int).()" result_of("int"), call, CEL_COST_ELEMENTS},                                    \
	        {name, "list(uint).()" result_of("uint"), call, CEL_COST_ELEMENTS},                          \
	        {name, "list(double).()" result_of("double"), call, CEL_COST_ELEMENTS},                      \
	{                                                                                                    \
		name, "list(duration).()" result_of("duration"), call, CEL_COST_ELEMENTS                     \
	}
#define EACH_ITEM_MORE(name, call, result_of)                                                                \
	{name, "list(bool).()" result_of("bool"), call, CEL_COST_ELEMENTS},                                  \
	        {name, "list(timestamp).()" result_of("timestamp"), call, CEL_COST_ELEMENTS},                \
	        {name, "list(string).()" result_of("string"), call, CEL_COST_ELEMENTS},                      \
	{                                                                                                    \
		name, "list(bytes).()" result_of("bytes"), call, CEL_COST_ELEMENTS                           \
	}
#define THE_SAME(type) type
#define A_BOOL(type)   "bool"
#define DATE(name)                                                                                           \
	{name, "timestamp.()int", cel_f_date, CEL_COST_ONE},                                                 \
	{                                                                                                    \
		name, "timestamp.(string)int", cel_f_date, CEL_COST_ONE                                      \
	}

static const struct cel_overload overloads[] = {
        {"_?_:_", "(bool,A,A)A", cel_f_lazy, CEL_COST_CHOICE},
        {"_&&_", "(bool,bool)bool", cel_f_lazy, CEL_COST_LOGIC},
        {"_||_", "(bool,bool)bool", cel_f_lazy, CEL_COST_LOGIC},
        {"!_", "(bool)bool", cel_f_not, CEL_COST_ONE},
        {"@not_strictly_false", "(bool)bool", cel_f_not_false, CEL_COST_ONE},
        {"_==_", "(A,A)bool", cel_f_equals, CEL_COST_COMPARE},
        {"_!=_", "(A,A)bool", cel_f_differs, CEL_COST_COMPARE},
        {"_+_", "(bytes,bytes)bytes", cel_f_add, CEL_COST_ADD},
        {"_+_", "(double,double)double", cel_f_add, CEL_COST_ONE},
        {"_+_", "(duration,duration)duration", cel_f_add, CEL_COST_ONE},
        {"_+_", "(duration,timestamp)timestamp", cel_f_add, CEL_COST_ONE},
        {"_+_", "(timestamp,duration)timestamp", cel_f_add, CEL_COST_ONE},
        {"_+_", "(int,int)int", cel_f_add, CEL_COST_ONE},
        {"_+_", "(list(A),list(A))list(A)", cel_f_add, CEL_COST_ADD},
        {"_+_", "(string,string)string", cel_f_add, CEL_COST_ADD},
        {"_+_", "(uint,uint)uint", cel_f_add, CEL_COST_ONE},
        {"_-_", "(double,double)double", cel_f_subtract, CEL_COST_ONE},
        {"_-_", "(duration,duration)duration", cel_f_subtract, CEL_COST_ONE},
        {"_-_", "(int,int)int", cel_f_subtract, CEL_COST_ONE},
        {"_-_", "(timestamp,duration)timestamp", cel_f_subtract, CEL_COST_ONE},
        {"_-_", "(timestamp,timestamp)duration", cel_f_subtract, CEL_COST_ONE},
        {"_-_", "(uint,uint)uint", cel_f_subtract, CEL_COST_ONE},
        {"_*_", "(double,double)double", cel_f_multiply, CEL_COST_ONE},
        {"_*_", "(int,int)int", cel_f_multiply, CEL_COST_ONE},
        {"_*_", "(uint,uint)uint", cel_f_multiply, CEL_COST_ONE},
        {"_/_", "(double,double)double", cel_f_divide, CEL_COST_ONE},
        {"_/_", "(int,int)int", cel_f_divide, CEL_COST_ONE},
        {"_/_", "(uint,uint)uint", cel_f_divide, CEL_COST_ONE},
        {"_%_", "(int,int)int", cel_f_modulo, CEL_COST_ONE},
        {"_%_", "(uint,uint)uint", cel_f_modulo, CEL_COST_ONE},
        {"-_", "(double)double", cel_f_negate, CEL_COST_ONE},
        {"-_", "(int)int", cel_f_negate, CEL_COST_ONE},
        EACH_ORDER("_<_", cel_f_less),
        EACH_ORDER("_<=_", cel_f_less_equals),
        EACH_ORDER("_>_", cel_f_greater),
        EACH_ORDER("_>=_", cel_f_greater_equals),
        {"_[_]", "(list(A),int)A", cel_f_lazy, CEL_COST_ITEM},
        {"_[_]", "(map(A,B),A)B", cel_f_lazy, CEL_COST_VALUE},
        {"_[_]", "(optional(list(A)),int)optional(A)", cel_f_lazy, CEL_COST_ONE},
        {"_[_]", "(optional(map(A,B)),A)optional(B)", cel_f_lazy, CEL_COST_ONE},
        {"_[?_]", "(list(A),int)optional(A)", cel_f_lazy, CEL_COST_ONE},
        {"_[?_]", "(optional(list(A)),int)optional(A)", cel_f_lazy, CEL_COST_ONE},
        {"_[?_]", "(map(A,B),A)optional(B)", cel_f_lazy, CEL_COST_ONE},
        {"_[?_]", "(optional(map(A,B)),A)optional(B)", cel_f_lazy, CEL_COST_ONE},
        {"@in", "(A,list(A))bool", cel_f_in, CEL_COST_IN},
        {"@in", "(A,map(A,B))bool", cel_f_in, CEL_COST_ONE},
        {"size", "(bytes)int", cel_f_size, CEL_COST_ONE},
        {"size", "bytes.()int", cel_f_size, CEL_COST_ONE},
        {"size", "(list(A))int", cel_f_size, CEL_COST_ONE},
        {"size", "list(A).()int", cel_f_size, CEL_COST_ONE},
        {"size", "(map(A,B))int", cel_f_size, CEL_COST_ONE},
        {"size", "map(A,B).()int", cel_f_size, CEL_COST_ONE},
        {"size", "(string)int", cel_f_size, CEL_COST_ONE},
        {"size", "string.()int", cel_f_size, CEL_COST_ONE},
        {"type", "(A)type(A)", cel_f_type, CEL_COST_ONE},
        {"bool", "(bool)bool", cel_f_bool, CEL_COST_ONE},
        {"bool", "(string)bool", cel_f_bool, CEL_COST_ONE},
        {"bytes", "(bytes)bytes", cel_f_bytes, CEL_COST_ONE},
        {"bytes", "(string)bytes", cel_f_bytes, CEL_COST_TO_BYTES},
        {"double", "(double)double", cel_f_double, CEL_COST_ONE},
        {"double", "(int)double", cel_f_double, CEL_COST_ONE},
        {"double", "(string)double", cel_f_double, CEL_COST_ONE},
        {"double", "(uint)double", cel_f_double, CEL_COST_ONE},
        {"duration", "(duration)duration", cel_f_duration, CEL_COST_ONE},
        {"duration", "(int)duration", cel_f_duration, CEL_COST_ONE},
        {"duration", "(string)duration", cel_f_duration, CEL_COST_ONE},
        {"dyn", "(A)dyn", cel_f_dyn, CEL_COST_ONE},
        {"int", "(int)int", cel_f_int, CEL_COST_ONE},
        {"int", "(double)int", cel_f_int, CEL_COST_ONE},
        {"int", "(duration)int", cel_f_int, CEL_COST_ONE},
        {"int", "(string)int", cel_f_int, CEL_COST_ONE},
        {"int", "(timestamp)int", cel_f_int, CEL_COST_ONE},
        {"int", "(uint)int", cel_f_int, CEL_COST_ONE},
        {"string", "(string)string", cel_f_string, CEL_COST_ONE},
        {"string", "(bool)string", cel_f_string, CEL_COST_ONE},
        {"string", "(bytes)string", cel_f_string, CEL_COST_TO_STRING},
        {"string", "(double)string", cel_f_string, CEL_COST_ONE},
        {"string", "(duration)string", cel_f_string, CEL_COST_ONE},
        {"string", "(int)string", cel_f_string, CEL_COST_ONE},
        {"string", "(timestamp)string", cel_f_string, CEL_COST_ONE},
        {"string", "(uint)string", cel_f_string, CEL_COST_ONE},
        {"string", "(IP)string", cel_f_string, CEL_COST_ONE},
        {"string", "(CIDR)string", cel_f_string, CEL_COST_ONE},
        {"timestamp", "(timestamp)timestamp", cel_f_timestamp, CEL_COST_ONE},
        {"timestamp", "(int)timestamp", cel_f_timestamp, CEL_COST_ONE},
        {"timestamp", "(string)timestamp", cel_f_timestamp, CEL_COST_ONE},
        {"uint", "(uint)uint", cel_f_uint, CEL_COST_ONE},
        {"uint", "(double)uint", cel_f_uint, CEL_COST_ONE},
        {"uint", "(int)uint", cel_f_uint, CEL_COST_ONE},
        {"uint", "(string)uint", cel_f_uint, CEL_COST_ONE},
        {"contains", "string.(string)bool", cel_f_contains, CEL_COST_CONTAINS},
        {"endsWith", "string.(string)bool", cel_f_ends, CEL_COST_SCAN_ARG},
        {"startsWith", "string.(string)bool", cel_f_starts, CEL_COST_SCAN_ARG},
        {"matches", "(string,string)bool", cel_f_matches, CEL_COST_ONE},
        {"matches", "string.(string)bool", cel_f_matches, CEL_COST_MATCHES},
        DATE("getFullYear"),
        DATE("getMonth"),
        DATE("getDayOfYear"),
        DATE("getDayOfMonth"),
        DATE("getDate"),
        DATE("getDayOfWeek"),
        DATE("getHours"),
        {"getHours", "duration.()int", cel_f_date, CEL_COST_ONE},
        DATE("getMinutes"),
        {"getMinutes", "duration.()int", cel_f_date, CEL_COST_ONE},
        DATE("getSeconds"),
        {"getSeconds", "duration.()int", cel_f_date, CEL_COST_ONE},
        DATE("getMilliseconds"),
        {"getMilliseconds", "duration.()int", cel_f_date, CEL_COST_ONE},
        /* texts */
        {"charAt", "string.(int)string", cel_f_char_at, CEL_COST_ONE},
        {"indexOf", "string.(string)int", cel_f_index_of, CEL_COST_ELEMENTS},
        {"indexOf", "string.(string,int)int", cel_f_index_of, CEL_COST_ELEMENTS},
        {"indexOf", "list(A).(A)int", cel_f_index_of, CEL_COST_ELEMENTS},
        {"lastIndexOf", "string.(string)int", cel_f_last_index_of, CEL_COST_ELEMENTS},
        {"lastIndexOf", "string.(string,int)int", cel_f_last_index_of, CEL_COST_ELEMENTS},
        {"lastIndexOf", "list(A).(A)int", cel_f_last_index_of, CEL_COST_ELEMENTS},
        {"lowerAscii", "string.()string", cel_f_lower, CEL_COST_KEEP},
        {"upperAscii", "string.()string", cel_f_upper, CEL_COST_KEEP},
        {"replace", "string.(string,string)string", cel_f_replace, CEL_COST_REPLACE},
        {"replace", "string.(string,string,int)string", cel_f_replace, CEL_COST_REPLACE},
        {"split", "string.(string)list(string)", cel_f_split, CEL_COST_SPLIT},
        {"split", "string.(string,int)list(string)", cel_f_split, CEL_COST_SPLIT},
        {"substring", "string.(int)string", cel_f_substring, CEL_COST_KEEP},
        {"substring", "string.(int,int)string", cel_f_substring, CEL_COST_KEEP},
        {"trim", "string.()string", cel_f_trim, CEL_COST_KEEP},
        {"format", "string.(list(dyn))string", cel_f_format, CEL_COST_SCAN},
        {"strings.quote", "(string)string", cel_f_quote, CEL_COST_QUOTE},
        {"join", "list(string).()string", cel_f_join, CEL_COST_JOIN},
        {"join", "list(string).(string)string", cel_f_join, CEL_COST_JOIN},
        {"find", "string.(string)string", cel_f_find, CEL_COST_FIND},
        {"findAll", "string.(string)list(string)", cel_f_find_all, CEL_COST_FIND},
        {"findAll", "string.(string,int)list(string)", cel_f_find_all, CEL_COST_FIND},
        /* lists and sets */
        EACH_ITEM("isSorted", cel_f_is_sorted, A_BOOL),
        EACH_ITEM_MORE("isSorted", cel_f_is_sorted, A_BOOL),
        EACH_ITEM("sum", cel_f_sum, THE_SAME),
        EACH_ITEM("max", cel_f_max, THE_SAME),
        EACH_ITEM_MORE("max", cel_f_max, THE_SAME),
        EACH_ITEM("min", cel_f_min, THE_SAME),
        EACH_ITEM_MORE("min", cel_f_min, THE_SAME),
        {"sets.contains", "(list(A),list(A))bool", cel_f_sets_contains, CEL_COST_ONE},
        {"sets.equivalent", "(list(A),list(A))bool", cel_f_sets_equivalent, CEL_COST_ONE},
        {"sets.intersects", "(list(A),list(A))bool", cel_f_sets_intersects, CEL_COST_ONE},
        {"cel.@mapInsert", "(map(A,B),A,B)map(A,B)", cel_f_map_insert, CEL_COST_ONE},
        {"cel.@mapInsert", "(map(A,B),map(A,B))map(A,B)", cel_f_map_insert, CEL_COST_ONE},
        /* optional values */
        {"optional.of", "(A)optional(A)", cel_f_opt_of, CEL_COST_ONE},
        {"optional.ofNonZeroValue", "(A)optional(A)", cel_f_opt_non_zero, CEL_COST_ONE},
        {"optional.none", "()optional(A)", cel_f_opt_none, CEL_COST_ONE},
        {"value", "optional(A).()A", cel_f_opt_value, CEL_COST_ONE},
        {"hasValue", "optional(A).()bool", cel_f_opt_has, CEL_COST_ONE},
        {"or", "optional(A).(optional(A))optional(A)", cel_f_opt_or, CEL_COST_ONE},
        {"orValue", "optional(A).(A)A", cel_f_opt_or_value, CEL_COST_ONE},
        {"first", "list(A).()optional(A)", cel_f_first, CEL_COST_ONE},
        {"last", "list(A).()optional(A)", cel_f_last, CEL_COST_ONE},
        {"optional.unwrap", "(list(optional(A)))list(A)", cel_f_unwrap, CEL_COST_ONE},
        {"unwrapOpt", "list(optional(A)).()list(A)", cel_f_unwrap, CEL_COST_ONE},
        /* addresses */
        {"ip", "(string)IP", cel_f_ip, CEL_COST_SCAN_ARG},
        {"ip", "CIDR.()IP", cel_f_ip, CEL_COST_ONE},
        {"isIP", "(string)bool", cel_f_is_ip, CEL_COST_SCAN_ARG},
        {"ip.isCanonical", "(string)bool", cel_f_is_canonical, CEL_COST_SCAN_TWICE},
        {"family", "IP.()int", cel_f_family, CEL_COST_ONE},
        {"isUnspecified", "IP.()bool", cel_f_address_is, CEL_COST_ONE},
        {"isLoopback", "IP.()bool", cel_f_address_is, CEL_COST_ONE},
        {"isLinkLocalMulticast", "IP.()bool", cel_f_address_is, CEL_COST_ONE},
        {"isLinkLocalUnicast", "IP.()bool", cel_f_address_is, CEL_COST_ONE},
        {"isGlobalUnicast", "IP.()bool", cel_f_address_is, CEL_COST_ONE},
        {"cidr", "(string)CIDR", cel_f_cidr, CEL_COST_SCAN_ARG},
        {"isCIDR", "(string)bool", cel_f_is_cidr, CEL_COST_SCAN_ARG},
        {"containsIP", "CIDR.(string)bool", cel_f_contains_ip, CEL_COST_ADDRESS},
        {"containsIP", "CIDR.(IP)bool", cel_f_contains_ip, CEL_COST_ADDRESS},
        {"containsCIDR", "CIDR.(string)bool", cel_f_contains_cidr, CEL_COST_RANGE},
        {"containsCIDR", "CIDR.(CIDR)bool", cel_f_contains_cidr, CEL_COST_RANGE},
        {"masked", "CIDR.()CIDR", cel_f_masked, CEL_COST_ONE},
        {"prefixLength", "CIDR.()int", cel_f_prefix_length, CEL_COST_ONE},
        {"url", "(string)URL", cel_f_url, CEL_COST_KEEP_ARG},
        {"isURL", "(string)bool", cel_f_is_url, CEL_COST_ONE},
        {"getScheme", "URL.()string", cel_f_url_scheme, CEL_COST_ONE},
        {"getHost", "URL.()string", cel_f_url_host, CEL_COST_ONE},
        {"getHostname", "URL.()string", cel_f_url_hostname, CEL_COST_ONE},
        {"getPort", "URL.()string", cel_f_url_port, CEL_COST_ONE},
        {"getEscapedPath", "URL.()string", cel_f_url_path, CEL_COST_ONE},
        {"getQuery", "URL.()map(string,list(string))", cel_f_url_query, CEL_COST_ONE},
        /* quantities, versions */
        {"quantity", "(string)Quantity", cel_f_quantity, CEL_COST_SCAN_ARG},
        {"isQuantity", "(string)bool", cel_f_is_quantity, CEL_COST_SCAN_ARG},
        {"sign", "(Quantity)int", cel_f_sign, CEL_COST_ONE},
        {"isGreaterThan", "Quantity.(Quantity)bool", cel_f_greater_than, CEL_COST_ONE},
        {"isGreaterThan", "Semver.(Semver)bool", cel_f_greater_than, CEL_COST_ONE},
        {"isLessThan", "Quantity.(Quantity)bool", cel_f_less_than, CEL_COST_ONE},
        {"isLessThan", "Semver.(Semver)bool", cel_f_less_than, CEL_COST_ONE},
        {"compareTo", "Quantity.(Quantity)int", cel_f_compare_to, CEL_COST_ONE},
        {"compareTo", "Semver.(Semver)int", cel_f_compare_to, CEL_COST_ONE},
        {"asApproximateFloat", "Quantity.()double", cel_f_as_float, CEL_COST_ONE},
        {"asInteger", "Quantity.()int", cel_f_as_integer, CEL_COST_ONE},
        {"isInteger", "Quantity.()bool", cel_f_is_integer, CEL_COST_ONE},
        {"add", "Quantity.(Quantity)Quantity", cel_f_quantity_add, CEL_COST_ONE},
        {"add", "Quantity.(int)Quantity", cel_f_quantity_add, CEL_COST_ONE},
        {"sub", "Quantity.(Quantity)Quantity", cel_f_quantity_sub, CEL_COST_ONE},
        {"sub", "Quantity.(int)Quantity", cel_f_quantity_sub, CEL_COST_ONE},
        {"semver", "(string)Semver", cel_f_semver, CEL_COST_SCAN_ARG},
        {"semver", "(string,bool)Semver", cel_f_semver, CEL_COST_SCAN_ARG},
        {"isSemver", "(string)bool", cel_f_is_semver, CEL_COST_SCAN_ARG},
        {"isSemver", "(string,bool)bool", cel_f_is_semver, CEL_COST_SCAN_ARG},
        {"major", "Semver.()int", cel_f_major, CEL_COST_ONE},
        {"minor", "Semver.()int", cel_f_minor, CEL_COST_ONE},
        {"patch", "Semver.()int", cel_f_patch, CEL_COST_ONE},
        {"format.named", "(string)optional(Format)", cel_f_format_named, CEL_COST_ONE},
        {"format.dns1123Label", "()Format", cel_f_format_named, CEL_COST_ONE},
        {"format.dns1123Subdomain", "()Format", cel_f_format_named, CEL_COST_ONE},
        {"format.dns1035Label", "()Format", cel_f_format_named, CEL_COST_ONE},
        {"format.qualifiedName", "()Format", cel_f_format_named, CEL_COST_ONE},
        {"format.dns1123LabelPrefix", "()Format", cel_f_format_named, CEL_COST_ONE},
        {"format.dns1123SubdomainPrefix", "()Format", cel_f_format_named, CEL_COST_ONE},
        {"format.dns1035LabelPrefix", "()Format", cel_f_format_named, CEL_COST_ONE},
        {"format.labelValue", "()Format", cel_f_format_named, CEL_COST_ONE},
        {"format.uri", "()Format", cel_f_format_named, CEL_COST_ONE},
        {"format.uuid", "()Format", cel_f_format_named, CEL_COST_ONE},
        {"format.byte", "()Format", cel_f_format_named, CEL_COST_ONE},
        {"format.date", "()Format", cel_f_format_named, CEL_COST_ONE},
        {"format.datetime", "()Format", cel_f_format_named, CEL_COST_ONE},
        {"validate", "Format.(string)optional(list(string))", cel_f_validate, CEL_COST_VALIDATE},
        /* may somebody do something */
        {"path", "Authorizer.(string)PathCheck", cel_f_auth_path, CEL_COST_ONE},
        {"group", "Authorizer.(string)GroupCheck", cel_f_auth_group, CEL_COST_ONE},
        {"serviceAccount", "Authorizer.(string,string)Authorizer", cel_f_auth_account, CEL_COST_ONE},
        {"resource", "GroupCheck.(string)ResourceCheck", cel_f_auth_resource, CEL_COST_ONE},
        {"subresource", "ResourceCheck.(string)ResourceCheck", cel_f_auth_subresource, CEL_COST_ONE},
        {"namespace", "ResourceCheck.(string)ResourceCheck", cel_f_auth_namespace, CEL_COST_ONE},
        {"name", "ResourceCheck.(string)ResourceCheck", cel_f_auth_name, CEL_COST_ONE},
        {"check", "PathCheck.(string)Decision", cel_f_auth_check, CEL_COST_CHECK},
        {"check", "ResourceCheck.(string)Decision", cel_f_auth_check, CEL_COST_CHECK},
        {"allowed", "Decision.()bool", cel_f_auth_allowed, CEL_COST_ONE},
        {"reason", "Decision.()string", cel_f_auth_reason, CEL_COST_ONE},
        {"errored", "Decision.()bool", cel_f_auth_errored, CEL_COST_ONE},
        {"error", "Decision.()string", cel_f_auth_reason, CEL_COST_ONE},
        {"fieldSelector", "ResourceCheck.(string)ResourceCheck", cel_f_auth_selector, CEL_COST_SELECTOR},
        {"labelSelector", "ResourceCheck.(string)ResourceCheck", cel_f_auth_selector, CEL_COST_SELECTOR},
};

const struct cel_overload *cel_overloads(const char *function, size_t *count)
{
	const struct cel_overload *first = NULL;
	*count = 0;
	for (size_t i = 0; i < KT_COUNT(overloads); i++) {
		if (strcmp(overloads[i].function, function) != 0) {
			if (first)
				break;
			continue;
		}
		if (!first)
			first = &overloads[i];
		(*count)++;
	}
	return first;
}
