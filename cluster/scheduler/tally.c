/* SPDX-License-Identifier: MIT */
/* Pods counted by selector, node and domain, kept up to date with every pod that comes or goes: what topology
 * spread and pod affinity read instead of walking all pods. */
#include <string.h>

#include "cluster/scheduler/scheduler_internal.h"

#define COUNTERS_KEPT 4096 /* more than this, and those unused for long go */

/* --- topologies --- */

static int32_t domain_of(struct sched_topo *topo, const struct sched_node *node)
{
	const char *text = kt_get_str(node->view->labels, topo->key);
	struct sched_value *value;

	if (!text)
		return -1;
	HASH_FIND_STR(topo->values, text, value);
	if (!value) {
		value = kt_alloc(sizeof(*value));
		value->text = kt_strdup(text);
		value->id = (int32_t)topo->count++;
		HASH_ADD_KEYPTR(hh, topo->values, value->text, strlen(value->text), value);
	}
	return value->id;
}

const struct sched_topo *sched_topo(struct scheduler *scheduler, const char *key)
{
	struct sched_topo *topo;

	for (topo = scheduler->topos; topo; topo = topo->next)
		if (strcmp(topo->key, key) == 0)
			return topo;
	topo = kt_alloc(sizeof(*topo));
	topo->key = kt_strdup(key);
	topo->hostname = strcmp(key, "kubernetes.io/hostname") == 0;
	topo->domain = kt_alloc((scheduler->index_cap + 1) * sizeof(*topo->domain));
	for (size_t i = 0; i < scheduler->index_cap; i++)
		topo->domain[i] = scheduler->by_index[i] ? domain_of(topo, scheduler->by_index[i]) : -1;
	topo->next = scheduler->topos;
	scheduler->topos = topo;
	return topo;
}

void sched_topo_node(struct scheduler *scheduler, struct sched_node *node)
{
	for (struct sched_topo *topo = scheduler->topos; topo; topo = topo->next) {
		int32_t domain = domain_of(topo, node);

		if (topo->domain[node->index] == domain)
			continue;
		topo->domain[node->index] = domain;
		sched_tallies_stale(scheduler, topo);
	}
}

/* --- tallies --- */

static void sum_grow(struct sched_sum *sum, size_t count)
{
	size_t cap = sum->cap;

	if (count <= cap)
		return;
	sum->sum = kt_grow(sum->sum, &sum->cap, count, sizeof(*sum->sum));
	memset(sum->sum + cap, 0, (sum->cap - cap) * sizeof(*sum->sum));
}

void sched_tally_add(struct scheduler *scheduler, struct sched_tally *tally, const struct sched_node *node,
                     int sign)
{
	(void)scheduler;
	tally->node[node->index] += sign;
	tally->total += sign;
	for (size_t i = 0; i < tally->sum_count; i++) {
		struct sched_sum *sum = &tally->sums[i];
		int32_t domain = sum->topo->domain[node->index];

		if (domain < 0)
			continue;
		sum_grow(sum, (size_t)domain + 1);
		sum->sum[domain] += sign;
	}
}

const int32_t *sched_tally_sum(struct scheduler *scheduler, struct sched_tally *tally,
                               const struct sched_topo *topo)
{
	struct sched_sum *sum;
	size_t i;

	for (i = 0; i < tally->sum_count; i++)
		if (tally->sums[i].topo == topo) {
			sum_grow(&tally->sums[i], topo->count + 1);
			return tally->sums[i].sum;
		}
	if (tally->sum_count == KT_COUNT(tally->sums)) /* rare: a fifth topology for one selector */
		kt_free(tally->sums[--tally->sum_count].sum);
	sum = &tally->sums[tally->sum_count++];
	*sum = (struct sched_sum){.topo = topo};
	sum_grow(sum, topo->count + 1);
	for (i = 0; i < scheduler->index_cap; i++)
		if (tally->node[i] && topo->domain[i] >= 0)
			sum->sum[topo->domain[i]] += tally->node[i];
	return sum->sum;
}

void sched_tally_clear(struct sched_tally *tally)
{
	kt_free(tally->node);
	for (size_t i = 0; i < tally->sum_count; i++)
		kt_free(tally->sums[i].sum);
}

static void stale(struct sched_tally *tally, const struct sched_topo *topo)
{
	for (size_t i = 0; i < tally->sum_count; i++) {
		if (tally->sums[i].topo != topo)
			continue;
		kt_free(tally->sums[i].sum);
		tally->sums[i] = tally->sums[--tally->sum_count];
		return;
	}
}

void sched_tallies_stale(struct scheduler *scheduler, const struct sched_topo *topo)
{
	for (struct sched_counter *counter = scheduler->counters; counter; counter = counter->hh.next)
		stale(&counter->tally, topo);
	for (struct sched_term *term = scheduler->terms; term; term = term->hh.next)
		stale(&term->tally, topo);
}

static int32_t *regrow(int32_t *old, size_t from, size_t to, int32_t fill)
{
	int32_t *grown = kt_realloc(old, (to + 1) * sizeof(*grown));

	for (size_t i = from; i <= to; i++)
		grown[i] = fill;
	return grown;
}

void sched_tallies_grow(struct scheduler *scheduler, size_t from, size_t to)
{
	for (struct sched_topo *topo = scheduler->topos; topo; topo = topo->next)
		topo->domain = regrow(topo->domain, from, to, -1);
	for (struct sched_counter *counter = scheduler->counters; counter; counter = counter->hh.next)
		counter->tally.node = regrow(counter->tally.node, from, to, 0);
	for (struct sched_term *term = scheduler->terms; term; term = term->hh.next)
		term->tally.node = regrow(term->tally.node, from, to, 0);
}

void sched_tallies_drop_node(struct scheduler *scheduler, size_t index)
{
	for (struct sched_topo *topo = scheduler->topos; topo; topo = topo->next) {
		if (topo->domain[index] >= 0)
			sched_tallies_stale(scheduler, topo);
		topo->domain[index] = -1;
	}
}

/* --- classes --- */

static uint64_t class_hash(const char *ns, const struct kt_json *labels)
{
	uint64_t hash = kt_hash(ns, strlen(ns));

	for (size_t i = 0, n = kt_count(labels); i < n; i++) {
		const char *key = kt_key(labels, i), *value = kt_str_or(kt_at(labels, i), "");
		uint64_t one = kt_hash(key, strlen(key)) * 31 + kt_hash(value, strlen(value));

		hash += one * 0x9e3779b97f4a7c15ULL; /* in any order */
	}
	return hash;
}

static bool in_list(const struct kt_json *names, const char *ns)
{
	const struct kt_json *one;

	KT_JSON_EACH (one, names) {
		if (strcmp(kt_str_or(one, ""), ns) == 0)
			return true;
	}
	return false;
}

bool sched_matches(struct scheduler *scheduler, const struct sched_match *match, const char *ns,
                   const char *pod_ns, const struct kt_json *labels)
{
	bool here;

	if (!match->namespaces && !match->ns_selector)
		here = strcmp(ns, pod_ns) == 0;
	else
		here = in_list(match->namespaces, pod_ns);
	if (!here && match->ns_selector) {
		const struct store_object *space =
		        store_get(cluster_store(scheduler->cluster), scheduler->namespaces, "", pod_ns);

		here = space && view_selector_matches(match->ns_selector, view_labels(space->json));
	}
	return here && view_selector_matches(match->selector, labels);
}

static bool counts(struct scheduler *scheduler, const struct sched_counter *counter,
                   const struct sched_class *class)
{
	for (size_t i = 0; i < counter->match_count; i++)
		if (!sched_matches(scheduler, &counter->matches[i], counter->ns, class->ns, class->labels))
			return false;
	return true;
}

static void class_count_by(struct sched_class *class, struct sched_counter *counter)
{
	class->counters = kt_grow(class->counters, &class->counter_cap, class->counter_count + 1,
	                          sizeof(struct sched_counter *));
	class->counters[class->counter_count++] = counter;
}

struct sched_class *sched_class(struct scheduler *scheduler, const char *ns, const struct kt_json *labels)
{
	uint64_t hash = class_hash(ns, labels);
	struct sched_class *class;

	for (;; hash++) { /* a collision takes the next number */
		HASH_FIND(hh, scheduler->classes, &hash, sizeof(hash), class);
		if (!class)
			break;
		if (strcmp(class->ns, ns) == 0 &&
		    (class->labels == labels || kt_equal(class->labels, labels)))
			return class;
	}
	class = kt_alloc(sizeof(*class));
	class->hash = hash;
	class->ns = kt_strdup(ns);
	class->labels = kt_json_ref(labels);
	HASH_ADD(hh, scheduler->classes, hash, sizeof(class->hash), class);
	for (struct sched_counter *counter = scheduler->counters; counter; counter = counter->hh.next)
		if (counts(scheduler, counter, class))
			class_count_by(class, counter);
	return class;
}

void sched_class_unused(struct scheduler *scheduler, struct sched_class *class)
{
	if (class->pods || class->held)
		return;
	HASH_DEL(scheduler->classes, class);
	kt_json_free(class->labels);
	kt_json_free(class->selector);
	kt_free(class->selector_owner);
	kt_free(class->counters);
	kt_free(class->ns);
	kt_free(class);
}

/* --- counters and terms --- */

static void add_json(struct kt_buf *key, const struct kt_json *value)
{
	if (value)
		kt_json_print(value, key);
	kt_buf_addc(key, '|');
}

static void match_key(struct kt_buf *key, const struct sched_match *match)
{
	add_json(key, match->selector);
	add_json(key, match->namespaces);
	add_json(key, match->ns_selector);
}

static struct sched_match match_copy(const struct sched_match *match)
{
	return (struct sched_match){.selector = kt_json_ref(match->selector),
	                            .namespaces = kt_json_ref(match->namespaces),
	                            .ns_selector = kt_json_ref(match->ns_selector)};
}

void sched_match_clear(struct sched_match *match)
{
	kt_json_freep(&match->selector);
	kt_json_freep(&match->namespaces);
	kt_json_freep(&match->ns_selector);
}

struct sched_counter *sched_counter(struct scheduler *scheduler, const char *ns,
                                    const struct sched_match *matches, size_t count)
{
	struct kt_buf key = {0};
	struct sched_counter *counter;

	kt_buf_addf(&key, "%s|", ns);
	for (size_t i = 0; i < count; i++)
		match_key(&key, &matches[i]);
	HASH_FIND_STR(scheduler->counters, kt_buf_str(&key), counter);
	if (counter) {
		kt_buf_clear(&key);
		counter->used = scheduler->cycle;
		return counter;
	}
	counter = kt_alloc(sizeof(*counter));
	counter->key = kt_buf_take(&key);
	counter->ns = kt_strdup(ns);
	counter->used = scheduler->cycle;
	counter->match_count = KT_MIN(count, (size_t)SCHED_TERMS);
	for (size_t i = 0; i < counter->match_count; i++)
		counter->matches[i] = match_copy(&matches[i]);
	counter->tally.node = kt_alloc((scheduler->index_cap + 1) * sizeof(int32_t));
	HASH_ADD_KEYPTR(hh, scheduler->counters, counter->key, strlen(counter->key), counter);
	for (struct sched_class *class = scheduler->classes; class; class = class->hh.next) {
		if (!counts(scheduler, counter, class))
			continue;
		class_count_by(class, counter);
		for (const struct sched_assigned *pod = class->pods; pod; pod = pod->class_next)
			if (!pod->deleting)
				sched_tally_add(scheduler, &counter->tally, pod->node, 1);
	}
	return counter;
}

struct sched_term *sched_term(struct scheduler *scheduler, const char *ns, enum sched_term_kind kind,
                              const struct sched_match *match, const char *topology_key, int64_t weight)
{
	struct kt_buf key = {0};
	struct sched_term *term;

	kt_buf_addf(&key, "%d|%s|%s|%lld|", (int)kind, ns, topology_key, (long long)weight);
	match_key(&key, match);
	HASH_FIND_STR(scheduler->terms, kt_buf_str(&key), term);
	if (term) {
		kt_buf_clear(&key);
		return term;
	}
	term = kt_alloc(sizeof(*term));
	term->key = kt_buf_take(&key);
	term->ns = kt_strdup(ns);
	term->kind = kind;
	term->match = match_copy(match);
	term->topo = sched_topo(scheduler, topology_key);
	term->weight = weight;
	term->tally.node = kt_alloc((scheduler->index_cap + 1) * sizeof(int32_t));
	HASH_ADD_KEYPTR(hh, scheduler->terms, term->key, strlen(term->key), term);
	return term;
}

static void counter_free(struct scheduler *scheduler, struct sched_counter *counter)
{
	HASH_DEL(scheduler->counters, counter);
	for (size_t i = 0; i < counter->match_count; i++)
		sched_match_clear(&counter->matches[i]);
	sched_tally_clear(&counter->tally);
	kt_free(counter->key);
	kt_free(counter->ns);
	kt_free(counter);
}

static void term_free(struct scheduler *scheduler, struct sched_term *term)
{
	HASH_DEL(scheduler->terms, term);
	sched_match_clear(&term->match);
	sched_tally_clear(&term->tally);
	kt_free(term->key);
	kt_free(term->ns);
	kt_free(term);
}

/* Forget counters that no pod of the last thousands of cycles asked for. */
void sched_tallies_trim(struct scheduler *scheduler)
{
	struct sched_counter *counter, *next;

	if (HASH_COUNT(scheduler->counters) <= COUNTERS_KEPT)
		return;
	HASH_ITER (hh, scheduler->counters, counter, next) {
		if (counter->used + COUNTERS_KEPT >= scheduler->cycle)
			continue;
		for (struct sched_class *class = scheduler->classes; class; class = class->hh.next)
			for (size_t i = 0; i < class->counter_count; i++)
				if (class->counters[i] == counter)
					class->counters[i--] = class->counters[--class->counter_count];
		counter_free(scheduler, counter);
	}
}

void sched_tallies_free(struct scheduler *scheduler)
{
	struct sched_counter *counter, *next_counter;
	struct sched_term *term, *next_term;
	struct sched_class *class, *next_class;

	HASH_ITER (hh, scheduler->counters, counter, next_counter)
		counter_free(scheduler, counter);
	HASH_ITER (hh, scheduler->terms, term, next_term)
		term_free(scheduler, term);
	HASH_ITER (hh, scheduler->classes, class, next_class) {
		class->pods = NULL;
		class->held = false;
		sched_class_unused(scheduler, class);
	}
	while (scheduler->topos) {
		struct sched_topo *topo = scheduler->topos;
		struct sched_value *value, *next_value;

		scheduler->topos = topo->next;
		HASH_ITER (hh, topo->values, value, next_value) {
			HASH_DEL(topo->values, value);
			kt_free(value->text);
			kt_free(value);
		}
		kt_free(topo->domain);
		kt_free(topo->key);
		kt_free(topo);
	}
}
