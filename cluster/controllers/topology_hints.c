/* SPDX-License-Identifier: MIT */
/* Which endpoints are for which zones: see the header. */
#include "cluster/controllers/topology_hints.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/controllers/hash.h"

#define OVERLOAD 0.2 /* by how much an endpoint may have more than its share */

struct zone_share {
	const char *name; /* borrowed from a node */
	int64_t milli;    /* CPU of its ready nodes */
	double ratio;
	int minimum, maximum, hints; /* hints: given so far */
	double desired;
	double surplus; /* above 0 it gives, below it receives */
	int gives, receives;
};
struct zone_table {
	struct zone_share *items; /* by name */
	size_t count, cap;
};

/* --- zones --- */
static struct zone_share *zone_named(struct zone_table *zones, const char *name)
{
	for (size_t i = 0; name && i < zones->count; i++) {
		if (kt_streq(zones->items[i].name, name))
			return &zones->items[i];
	}
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct zone_share *)a)->name, ((const struct zone_share *)b)->name);
}

/* The zones of ready nodes that are no control plane. Empty if one of them tells no zone or no CPU, or if
 * there are less than two. */
static void read_zones(struct cluster *cluster, const struct controller_kinds *kinds,
                       struct zone_table *zones)
{
	const struct store_object *node;
	int64_t total = 0;
	bool known = true;
	STORE_EACH (node, cluster_store(cluster), kinds->node, NULL) {
		const struct view_node *view = view_node(node);
		if (kt_get(view->labels, "node-role.kubernetes.io/control-plane") ||
		    kt_get(view->labels, "node-role.kubernetes.io/master") || !view->ready || !known)
			continue;
		known = view->zone && *view->zone && view->allocatable.cpu_milli;
		if (!known)
			continue;
		struct zone_share *zone = zone_named(zones, view->zone);
		if (!zone) {
			zones->items =
			        kt_grow(zones->items, &zones->cap, zones->count + 1, sizeof(*zones->items));
			zone = &zones->items[zones->count++];
			*zone = (struct zone_share){.name = view->zone};
		}
		zone->milli += view->allocatable.cpu_milli;
		total += view->allocatable.cpu_milli;
	}
	if (!known || zones->count < 2)
		zones->count = 0;
	if (zones->count)
		qsort(zones->items, zones->count, sizeof(*zones->items), by_name);
	for (size_t i = 0; i < zones->count; i++)
		zones->items[i].ratio = (double)zones->items[i].milli / (double)total;
}

static int least(double endpoints, const struct zone_share *zone)
{
	return (int)ceil(endpoints * zone->ratio * (1 / (1 + OVERLOAD)));
}

/* --- endpoints --- */
static bool is_ready(const struct kt_json *endpoint)
{
	return kt_path_bool(endpoint, "conditions.ready", false);
}

static void set_hints(struct hinted_slice *slice, size_t at, struct kt_json *steal)
{
	if (steal)
		kt_set(kt_edit_at(&slice->endpoints, at), "hints", steal);
	else if (kt_get(kt_at(slice->endpoints, at), "hints"))
		kt_unset(kt_edit_at(&slice->endpoints, at), "hints");
}

static struct kt_json *for_zone(const char *zone)
{
	return kt_jsonf("{forZones: [{name: %s}]}", zone);
}

/* What is not written anew keeps the hints that it has. */
static void keep_hints(struct hinted_slice *slice)
{
	for (size_t i = 0; !slice->changed && i < kt_count(slice->endpoints); i++)
		set_hints(slice, i, kt_json_ref(kt_get(kt_at(slice->before, i), "hints")));
}

static bool has_hints(const struct kt_json *endpoints)
{
	const struct kt_json *endpoint;
	KT_JSON_EACH (endpoint, endpoints) {
		if (kt_get(endpoint, "hints"))
			return true;
	}
	return false;
}

static void remove_hints(struct hinted_slice *slices, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		slices[i].changed |= has_hints(slices[i].before);
		for (size_t e = 0; e < kt_count(slices[i].endpoints); e++)
			set_hints(&slices[i], e, NULL);
	}
}

/* --- trafficDistribution --- */
static struct kt_json *own_hints(const struct kt_json *endpoint, bool nodes)
{
	const char *zone = kt_get_str(endpoint, "zone"), *node = kt_get_str(endpoint, "nodeName");
	struct kt_json *hints = NULL;
	if (zone)
		hints = for_zone(zone);
	if (node && nodes)
		kt_set(&hints, "forNodes", kt_jsonf("[{name: %s}]", node));
	return hints;
}

static void distribute(struct hinted_slice *slice, bool nodes)
{
	for (size_t i = 0; !slice->changed && i < kt_count(slice->endpoints); i++) {
		struct kt_json *hints = own_hints(kt_at(slice->endpoints, i), nodes);
		slice->changed = is_ready(kt_at(slice->endpoints, i)) &&
		                 !kt_equal(hints, kt_get(kt_at(slice->before, i), "hints"));
		kt_json_free(hints);
	}
	for (size_t i = 0; slice->changed && i < kt_count(slice->endpoints); i++) {
		if (is_ready(kt_at(slice->endpoints, i)))
			set_hints(slice, i, own_hints(kt_at(slice->endpoints, i), nodes));
	}
	keep_hints(slice);
}

/* --- the annotation --- */
bool topology_hints_wanted(const struct store_object *service)
{
	const char *mode = controller_annotation(service->json, "service.kubernetes.io/topology-aware-hints");
	if (!mode)
		mode = controller_annotation(service->json, "service.kubernetes.io/topology-mode");
	return kt_streq(mode, "Auto") || kt_streq(mode, "auto");
}

/* How many endpoints each zone is to have; NULL, or why that cannot be. */
static char *allocate(struct zone_table *zones, int endpoints)
{
	int left = endpoints;
	if (!zones->count)
		return kt_strf(
		        "Insufficient Node information: allocatable CPU or zone not specified on one or "
		        "more nodes");
	if ((int)zones->count > endpoints)
		return kt_strf("Insufficient number of endpoints (%d endpoints, %zu zones)", endpoints,
		               zones->count);
	for (size_t i = 0; i < zones->count; i++) {
		struct zone_share *zone = &zones->items[i];
		zone->minimum = least(endpoints, zone);
		zone->desired = fmax(zone->ratio * endpoints, zone->minimum);
		left -= zone->minimum;
	}
	if (left < 0)
		return kt_strf("Unable to allocate minimum required endpoints to each zone without exceeding "
		               "overload threshold (%d endpoints, %zu zones)",
		               endpoints, zones->count);
	for (size_t i = 0; i < zones->count; i++)
		zones->items[i].maximum = zones->items[i].minimum + left;
	return NULL;
}

/* Hints that stay: all ready endpoints of the slice have some, for zones that there are, and not too many. */
static bool count_kept(const struct hinted_slice *slice, struct zone_table *zones)
{
	const struct kt_json *endpoint, *hint;
	int *here = kt_alloc((zones->count + 1) * sizeof(*here));
	bool fine = true;
	KT_JSON_EACH (endpoint, slice->before) {
		const struct kt_json *list = kt_path(endpoint, "hints.forZones");
		if (!is_ready(endpoint))
			continue;
		fine = fine && kt_count(list);
		KT_JSON_EACH (hint, list) {
			struct zone_share *zone = zone_named(zones, kt_get_str(hint, "name"));
			fine = fine && zone;
			if (zone)
				here[zone - zones->items]++;
		}
	}
	for (size_t i = 0; i < zones->count; i++)
		fine = fine && (!here[i] || here[i] + zones->items[i].hints <= zones->items[i].maximum);
	for (size_t i = 0; fine && i < zones->count; i++)
		zones->items[i].hints += here[i];
	kt_free(here);
	return fine;
}

/* At first each endpoint is for its own zone. False if one has none. */
static bool stay_at_home(struct hinted_slice *slice, struct zone_table *zones)
{
	for (size_t i = 0; i < kt_count(slice->endpoints); i++) {
		const char *name = kt_get_str(kt_at(slice->endpoints, i), "zone");
		struct zone_share *zone = zone_named(zones, name);
		if (!is_ready(kt_at(slice->endpoints, i)))
			continue;
		if (!name || !*name)
			return false;
		set_hints(slice, i, for_zone(name));
		if (zone)
			zone->hints++;
	}
	return true;
}

static struct zone_share *most(struct zone_table *zones, double sign)
{
	struct zone_share *best = NULL;
	for (size_t i = 0; i < zones->count; i++) {
		double here = zones->items[i].surplus * sign;
		if (here > 0 && (!best || here > best->surplus * sign))
			best = &zones->items[i];
	}
	return best;
}

/* Whole endpoints that zones with more than they need give to those with less. */
static void pair_zones(struct zone_table *zones)
{
	for (size_t i = 0; i < zones->count; i++)
		zones->items[i].surplus = zones->items[i].hints - zones->items[i].desired;
	for (;;) {
		struct zone_share *from = most(zones, 1), *to = most(zones, -1);
		if (!from || !to || (from->surplus < 1 && to->surplus > -1) || from->surplus < 0.5 ||
		    to->surplus > -0.5)
			return;
		from->gives++;
		from->surplus--;
		to->receives++;
		to->surplus++;
	}
}

static void move_hints(struct hinted_slice *slice, struct zone_table *zones)
{
	for (size_t i = 0; i < kt_count(slice->endpoints); i++) {
		struct zone_share *from = zone_named(zones, kt_get_str(kt_at(slice->endpoints, i), "zone"));
		struct zone_share *to = zones->items;
		if (!is_ready(kt_at(slice->endpoints, i)) || !from || !from->gives)
			continue;
		while (to < zones->items + zones->count && !to->receives)
			to++;
		if (to == zones->items + zones->count)
			return;
		set_hints(slice, i, for_zone(to->name));
		from->gives--;
		to->receives--;
	}
}

static char *share_out(struct zone_table *zones, struct hinted_slice *slices, size_t count)
{
	const struct kt_json *endpoint;
	int ready = 0;
	for (size_t i = 0; i < count; i++) {
		KT_JSON_EACH (endpoint, slices[i].endpoints)
			ready += is_ready(endpoint);
	}
	char *why = allocate(zones, ready);
	for (size_t i = 0; !why && i < count; i++) {
		if (!slices[i].changed)
			slices[i].changed = !count_kept(&slices[i], zones);
	}
	for (size_t i = 0; !why && i < count; i++) {
		if (slices[i].changed && !stay_at_home(&slices[i], zones))
			why = kt_strf("One or more endpoints do not have a zone specified");
	}
	if (why)
		return why;
	pair_zones(zones);
	for (size_t i = 0; i < count; i++) {
		if (slices[i].changed)
			move_hints(&slices[i], zones);
		keep_hints(&slices[i]);
	}
	return NULL;
}

static void tell(struct hint_event *event, const char *type, const char *reason, char *steal_message)
{
	*event = (struct hint_event){
	        .type = type, .reason = reason, .message = kt_strf("%s, addressType: IPv4", steal_message)};
	kt_free(steal_message);
}

void topology_hints_put(struct cluster *cluster, const struct controller_kinds *kinds,
                        const struct store_object *service, struct hinted_slice *slices, size_t count,
                        bool *populated, struct hint_event *event)
{
	const char *distribution = kt_path_str(service->json, "spec.trafficDistribution");
	bool was = *populated;
	*event = (struct hint_event){0};
	*populated = false;
	if (topology_hints_wanted(service)) {
		struct zone_table zones = {0};
		read_zones(cluster, kinds, &zones);
		char *why = share_out(&zones, slices, count);
		kt_free(zones.items);
		*populated = !why;
		if (why) {
			remove_hints(slices, count);
			tell(event, "Warning", "TopologyAwareHintsDisabled", why);
		} else if (!was) {
			tell(event, "Normal", "TopologyAwareHintsEnabled",
			     kt_strdup("Topology Aware Hints has been enabled"));
		}
		return;
	}
	if (was)
		tell(event, "Warning", "TopologyAwareHintsDisabled",
		     kt_strdup("Topology Aware Hints has been disabled"));
	if (!distribution || !*distribution) {
		remove_hints(slices, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		distribute(&slices[i], kt_streq(distribution, "PreferSameNode"));
}

bool topology_hints_overloaded(struct cluster *cluster, const struct controller_kinds *kinds,
                               const struct store_list *slices)
{
	struct zone_table zones = {0};
	const struct kt_json *endpoint, *hint;
	int total = 0;
	read_zones(cluster, kinds, &zones);
	for (size_t i = 0; i < slices->count; i++) {
		KT_JSON_EACH (endpoint, kt_get(slices->items[i]->json, "endpoints")) {
			KT_JSON_EACH (hint, kt_path(endpoint, "hints.forZones")) {
				struct zone_share *zone = zone_named(&zones, kt_get_str(hint, "name"));
				total++;
				if (zone)
					zone->hints++;
			}
		}
	}
	bool over = total && !zones.count;
	for (size_t i = 0; total && i < zones.count; i++)
		over |= !zones.items[i].hints || zones.items[i].hints < least(total, &zones.items[i]);
	kt_free(zones.items);
	return over;
}
