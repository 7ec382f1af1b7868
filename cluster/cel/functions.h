/* SPDX-License-Identifier: MIT */
/* The functions of CEL and its libraries: each looks at what it was given itself, since dyn may be anything.
 */
#ifndef CEL_FUNCTIONS_H
#define CEL_FUNCTIONS_H

#include "cluster/cel/cel_internal.h"

/* functions_basic.c: operators, conversions, optional values */
cel_function cel_f_equals, cel_f_differs, cel_f_less, cel_f_less_equals, cel_f_greater, cel_f_greater_equals;
cel_function cel_f_add, cel_f_subtract, cel_f_multiply, cel_f_divide, cel_f_modulo, cel_f_negate, cel_f_not;
cel_function cel_f_in, cel_f_size, cel_f_not_false, cel_f_lazy, cel_f_map_insert;
cel_function cel_f_bool, cel_f_int, cel_f_uint, cel_f_double, cel_f_string, cel_f_bytes, cel_f_duration,
        cel_f_timestamp;
cel_function cel_f_dyn, cel_f_type, cel_f_date;
cel_function cel_f_opt_of, cel_f_opt_non_zero, cel_f_opt_none, cel_f_opt_value, cel_f_opt_has, cel_f_opt_or,
        cel_f_opt_or_value;
cel_function cel_f_unwrap, cel_f_first, cel_f_last;
/* functions_text.c */
cel_function cel_f_contains, cel_f_starts, cel_f_ends, cel_f_matches, cel_f_char_at, cel_f_index_of,
        cel_f_last_index_of;
cel_function cel_f_lower, cel_f_upper, cel_f_replace, cel_f_split, cel_f_substring, cel_f_trim, cel_f_join,
        cel_f_format;
cel_function cel_f_quote, cel_f_find, cel_f_find_all;
/* functions_list.c */
cel_function cel_f_is_sorted, cel_f_sum, cel_f_min, cel_f_max, cel_f_sets_contains, cel_f_sets_equivalent,
        cel_f_sets_intersects;
/* functions_kube.c */
cel_function cel_f_ip, cel_f_is_ip, cel_f_is_canonical, cel_f_family, cel_f_address_is, cel_f_cidr,
        cel_f_is_cidr;
cel_function cel_f_contains_ip, cel_f_contains_cidr, cel_f_masked, cel_f_prefix_length;
cel_function cel_f_quantity, cel_f_is_quantity, cel_f_sign, cel_f_greater_than, cel_f_less_than,
        cel_f_compare_to;
cel_function cel_f_as_float, cel_f_as_integer, cel_f_is_integer, cel_f_quantity_add, cel_f_quantity_sub;
cel_function cel_f_url, cel_f_is_url, cel_f_url_scheme, cel_f_url_host, cel_f_url_hostname, cel_f_url_port,
        cel_f_url_path, cel_f_url_query;
cel_function cel_f_semver, cel_f_is_semver, cel_f_major, cel_f_minor, cel_f_patch;
cel_function cel_f_format_named, cel_f_validate;
cel_function cel_f_auth_path, cel_f_auth_group, cel_f_auth_account, cel_f_auth_resource,
        cel_f_auth_subresource;
cel_function cel_f_auth_namespace, cel_f_auth_name, cel_f_auth_check, cel_f_auth_allowed, cel_f_auth_reason,
        cel_f_auth_errored;
cel_function cel_f_auth_selector;

#endif
