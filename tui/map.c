/* SPDX-License-Identifier: MIT */
/* The cluster at a glance: zones as frames, nodes in them with their CPU and memory, a cell a pod; what is
 * selected is ringed, and its traffic is drawn as a spark line. */
#include "tui/work_internal.h"

#include <string.h>

#define FRAME_COLS 18 /* what a zone needs at least to stand beside others */
#define NAMES_COLS 30 /* from here on cells have names */
#define APPS_MAX   64

static const struct {
	const char *state, *sign;
	enum tui_style style;
} states[] = {{"ready", "●", TUI_GOOD},  {"starting", "◐", TUI_WARN}, {"ending", "◌", TUI_DIM},
              {"failing", "✗", TUI_BAD}, {"done", "✓", TUI_DIM},      {"pending", "○", TUI_WARN}};

struct map {
	struct tui_grid *grid;
	struct tui_area area; /* what is being filled */
	const struct kt_json *nodes, *pods;
	const char *chosen; /* the app under the cursor; NULL: none */
	kt_ns now;
	int row;
	bool names, cut;
};

static bool is_shown(const struct kt_json *pod)
{
	return !kt_streq(kt_get_str(pod, "ns"), "kube-system");
}

static const char *app_of(const struct kt_json *pod)
{
	const char *app = kt_get_str(pod, "app");
	return app ? app : kt_str_or(kt_get(pod, "name"), "?");
}

static bool is_worker(const struct kt_json *node)
{
	return !kt_get_bool(node, "control", false);
}

/* Apps in the order of their first pod. */
static size_t list_apps(const struct kt_json *pods, const char *apps[APPS_MAX])
{
	const struct kt_json *pod;
	size_t count = 0;
	KT_JSON_EACH (pod, pods) {
		bool known = !is_shown(pod) || count == APPS_MAX;
		for (size_t i = 0; i < count; i++)
			known = known || kt_streq(apps[i], app_of(pod));
		if (!known)
			apps[count++] = app_of(pod);
	}
	return count;
}

/* --- pods --- */

static size_t state_of(const struct kt_json *pod)
{
	size_t s = 0;
	while (s + 1 < KT_COUNT(states) && !kt_streq(states[s].state, kt_get_str(pod, "state")))
		s++;
	return s;
}

static int pod_width(const struct map *m, const struct kt_json *pod)
{
	return (kt_streq(m->chosen, app_of(pod)) ? 3 : 1) +
	       (m->names ? 2 + (int)KT_MIN(strlen(app_of(pod)), 20) : 0);
}

static void put_pod(const struct map *m, int col, const struct kt_json *pod)
{
	size_t s = state_of(pod);
	bool ringed = kt_streq(m->chosen, app_of(pod));
	if (ringed)
		col += tui_put(m->grid, m->row, col, 1, TUI_KEY, "(");
	if (tui_put(m->grid, m->row, col, 1, states[s].style, states[s].sign) &&
	    m->now - kt_get_int(pod, "since", 0) < KT_SEC)
		tui_mark(m->grid, (struct tui_area){m->row, col, 1, 1}, TUI_CHANGED);
	col++;
	if (ringed)
		col += tui_put(m->grid, m->row, col, 1, TUI_KEY, ")");
	if (m->names)
		tui_put(m->grid, m->row, col + 1, 20, ringed ? TUI_STRONG : TUI_PLAIN, app_of(pod));
}

/* Pods of a node (NULL: of none), in as many rows as it takes. */
static void draw_pods(struct map *m, const char *node, int indent)
{
	const struct kt_json *pod;
	int col = m->area.col + indent, end = m->area.col + m->area.cols;
	KT_JSON_EACH (pod, m->pods) {
		const char *on = kt_get_str(pod, "node");
		if (!is_shown(pod) || (node ? !kt_streq(on, node) : on && *on))
			continue;
		if (col + pod_width(m, pod) > end && col > m->area.col + indent) {
			m->row++;
			col = m->area.col + indent;
		}
		if (m->row >= m->area.row + m->area.rows) {
			m->cut = true;
			return;
		}
		put_pod(m, col, pod);
		col += pod_width(m, pod) + (m->names ? 1 : 0);
	}
	m->row++;
}

/* --- nodes --- */

static void node_load(const struct kt_json *node, int room, struct kt_buf *out)
{
	double cpu = kt_real_or(kt_get(node, "cpu_used"), -1),
	       memory = kt_real_or(kt_get(node, "memory_used"), -1);
	if (cpu >= 0)
		kt_buf_addf(out, "cpu %.0f%%", cpu * 100);
	if (memory >= 0 && (int)out->len + 9 <= room)
		kt_buf_addf(out, "%smem %.0f%%", out->len ? " " : "", memory * 100);
}

static void draw_node(struct map *m, const struct kt_json *node)
{
	bool ready = kt_get_bool(node, "ready", false), cordoned = kt_get_bool(node, "cordoned", false);
	const char *name = kt_str_or(kt_get(node, "name"), "?");
	struct kt_buf load = {0};
	int end = m->area.col + m->area.cols;
	if (m->row >= m->area.row + m->area.rows) {
		m->cut = true;
		return;
	}
	if (!ready)
		kt_buf_adds(&load, "✗ down");
	else if (cordoned)
		kt_buf_adds(&load, "cordoned");
	else
		node_load(node, m->area.cols - (int)strlen(name) - 1, &load);
	int width = (int)kt_width(load.data, load.len), room = m->area.cols - width - 1;
	tui_put(m->grid, m->row, m->area.col, room >= 8 ? room : m->area.cols, ready ? TUI_PLAIN : TUI_BAD,
	        name);
	if (room >= 8)
		tui_put(m->grid, m->row, end - width, width,
		        !ready     ? TUI_BAD
		        : cordoned ? TUI_WARN
		                   : TUI_DIM,
		        kt_buf_str(&load));
	kt_buf_clear(&load);
	m->row++;
	draw_pods(m, name, 1);
}

static bool in_zone(const struct kt_json *node, const char *zone)
{
	return is_worker(node) && kt_streq(kt_get_str(node, "zone"), zone);
}

static bool is_first_of_zone(const struct kt_json *nodes, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (in_zone(kt_at(nodes, j), kt_get_str(kt_at(nodes, i), "zone")))
			return false;
	return is_worker(kt_at(nodes, i));
}

/* --- zones --- */

static int zone_rows(const struct map *m, const char *zone)
{
	int rows = 2;
	for (size_t i = 0; i < kt_count(m->nodes); i++)
		rows += in_zone(kt_at(m->nodes, i), zone) ? 2 : 0;
	return rows;
}

static void draw_zone(struct map *m, struct tui_area frame, const char *zone)
{
	const struct kt_json *node;
	size_t count = 0, down = 0;
	KT_JSON_EACH (node, m->nodes) {
		count += in_zone(node, zone);
		down += in_zone(node, zone) && !kt_get_bool(node, "ready", false);
	}
	char *title = kt_strf("%s%s%s", zone ? "zone " : "no zone", zone ? zone : "",
	                      down == count ? " ✗ dark" : "");
	struct map inside = *m;
	inside.area = tui_frame(m->grid, frame, title);
	inside.row = inside.area.row;
	KT_JSON_EACH (node, m->nodes)
		if (in_zone(node, zone))
			draw_node(&inside, node);
	if (inside.cut)
		tui_put(m->grid, frame.row + frame.rows - 1, frame.col + frame.cols - 2, 1, TUI_KEY, "▼");
	kt_free(title);
}

/* Beside each other where there is room, else below each other. */
static void draw_zones(struct map *m)
{
	size_t zones = 0, at = 0;
	for (size_t i = 0; i < kt_count(m->nodes); i++)
		zones += is_first_of_zone(m->nodes, i);
	int all = 0, tallest = 0;
	for (size_t i = 0; i < kt_count(m->nodes); i++)
		if (is_first_of_zone(m->nodes, i)) {
			int rows = zone_rows(m, kt_get_str(kt_at(m->nodes, i), "zone"));
			all += rows;
			tallest = KT_MAX(tallest, rows);
		}
	bool roomy = zones && m->area.cols / (int)zones >= NAMES_COLS;
	bool beside = zones && m->area.cols / (int)zones >= FRAME_COLS && (roomy || all > m->area.rows);
	int width = beside ? m->area.cols / (int)zones : m->area.cols, row = m->area.row,
	    end = m->area.row + m->area.rows;
	m->names = width >= NAMES_COLS;
	for (size_t i = 0; i < kt_count(m->nodes); i++) {
		const char *zone = kt_get_str(kt_at(m->nodes, i), "zone");
		if (!is_first_of_zone(m->nodes, i))
			continue;
		int rows = beside ? KT_MIN(tallest + 2, m->area.rows) : KT_MIN(zone_rows(m, zone), end - row);
		if (rows < 3) {
			tui_put(m->grid, end - 1, m->area.col + m->area.cols - 1, 1, TUI_KEY, "▼");
			return;
		}
		struct tui_area frame = {row, m->area.col + (beside ? (int)at * width : 0), rows, width};
		draw_zone(m, frame, zone);
		row += beside ? 0 : rows;
		at++;
	}
}

/* --- below: what waits, what is selected, what the signs mean --- */

static size_t count_pending(const struct kt_json *pods)
{
	const struct kt_json *pod;
	size_t count = 0;
	KT_JSON_EACH (pod, pods)
		count += is_shown(pod) && !kt_count(kt_get(pod, "node")) &&
		         !*kt_str_or(kt_get(pod, "node"), "");
	return count;
}

static void draw_legend(const struct map *m, int row)
{
	int at = m->area.col + 1, end = m->area.col + m->area.cols;
	for (size_t s = 0; s < KT_COUNT(states) && at + 3 + (int)strlen(states[s].state) < end; s++) {
		at += tui_put(m->grid, row, at, end - at, states[s].style, states[s].sign) + 1;
		at += tui_put(m->grid, row, at, end - at, TUI_DIM, states[s].state) + 1;
	}
}

static void spark(const struct kt_json *values, struct kt_buf *out)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	const struct kt_json *value;
	double most = 0;
	KT_JSON_EACH (value, values)
		most = KT_MAX(most, kt_real_or(value, 0));
	KT_JSON_EACH (value, values) {
		size_t last = KT_COUNT(bars) - 1;
		double share = most > 0 ? kt_real_or(value, 0) / most : 0;
		kt_buf_adds(out, bars[(size_t)(share * (double)last + 0.5)]);
	}
}

/* Requests, latency, errors of the Services that somebody calls. */
static int draw_traffic(const struct tui_app *app, const struct map *m, int row, int last)
{
	const struct kt_json *service;
	KT_JSON_EACH (service, kt_get(app->work.world, "traffic")) {
		const char *name = kt_str_or(kt_get(service, "service"), "?");
		struct kt_buf line = {0};
		if (row > last)
			return row;
		kt_buf_addf(&line, "%s  ", name);
		spark(kt_get(app->work.sparks, name), &line);
		kt_buf_addf(&line, "  %.0f req/s  p95 %.0f ms", kt_real_or(kt_get(service, "rps"), 0),
		            kt_real_or(kt_get(service, "p95"), 0) * 1000);
		double lost = 1 - kt_real_or(kt_get(service, "availability"), 1);
		if (lost > 0)
			kt_buf_addf(&line, "  %.1f%% lost", lost * 100);
		tui_put(m->grid, row++, m->area.col + 1, m->area.cols - 2, lost > 0 ? TUI_WARN : TUI_PLAIN,
		        kt_buf_str(&line));
		kt_buf_clear(&line);
	}
	return row;
}

static void add_names(struct kt_buf *line, const char *sign, const struct kt_json *names)
{
	const struct kt_json *name;
	kt_buf_addf(line, "  %s", sign);
	KT_JSON_EACH (name, names)
		kt_buf_addf(line, "%s%s", name_i ? ", " : " ", kt_str_or(name, "?"));
	if (!kt_count(names))
		kt_buf_adds(line, " nobody");
}

/* Whom the chosen one may reach, and who may reach it. */
static void draw_arrows(const struct map *m, const struct kt_json *reach, int row)
{
	struct kt_json *from = kt_json_array();
	const struct kt_json *to;
	struct kt_buf line = {0};
	for (size_t i = 0; i < kt_count(reach); i++)
		KT_JSON_EACH (to, kt_at(reach, i))
			if (kt_streq(kt_str(to), m->chosen))
				kt_push(&from, kt_json_str(kt_key(reach, i)));
	if (reach) {
		kt_buf_adds(&line, "by policy");
		add_names(&line, "→", kt_get(reach, m->chosen));
		add_names(&line, "←", from);
	} else {
		kt_buf_adds(&line, "no policy: everybody may reach everybody");
	}
	tui_put(m->grid, row, m->area.col + 1, m->area.cols - 2, TUI_PLAIN, kt_buf_str(&line));
	kt_buf_clear(&line);
	kt_json_free(from);
}

static void draw_chosen(const struct map *m, int row)
{
	size_t counts[KT_COUNT(states)] = {0};
	const struct kt_json *pod;
	struct kt_buf line = {0};
	KT_JSON_EACH (pod, m->pods)
		if (is_shown(pod) && kt_streq(app_of(pod), m->chosen))
			counts[state_of(pod)]++;
	kt_buf_addf(&line, "(●) %s:", m->chosen);
	for (size_t s = 0; s < KT_COUNT(states); s++)
		if (counts[s])
			kt_buf_addf(&line, " %zu %s", counts[s], states[s].state);
	tui_put(m->grid, row, m->area.col + 1, m->area.cols - 2, TUI_STRONG, kt_buf_str(&line));
	kt_buf_clear(&line);
}

void tui_draw_map(struct tui_app *app, struct tui_grid *grid, struct tui_area area)
{
	const char *apps[APPS_MAX];
	bool alone = app->work.panel == TUI_PANEL_MAP;
	struct map m = {.grid = grid,
	                .area = area,
	                .now = app->now,
	                .nodes = kt_get(app->work.world, "nodes"),
	                .pods = kt_get(app->work.world, "pods")};
	if (!app->work.world) {
		tui_put(grid, area.row, area.col + 1, area.cols - 2, TUI_DIM,
		        "The cluster was not looked at yet.");
		return;
	}
	size_t count = list_apps(m.pods, apps), pending = count_pending(m.pods),
	       services = alone ? kt_count(kt_get(app->work.world, "traffic")) : 0;
	if (alone) { /* the cursor goes over what runs; 0: nothing */
		app->work.scroll = KT_MIN(app->work.scroll, (int)count);
		m.chosen = app->work.scroll > 0 ? apps[app->work.scroll - 1] : NULL;
	}
	int below = 1 + (pending ? 1 : 0) + (m.chosen ? 2 : 0) + (int)KT_MIN(services, 3);
	m.area.rows = KT_MAX(area.rows - below, 3);
	draw_zones(&m);
	int row = area.row + m.area.rows, last = area.row + area.rows - 1;
	if (pending) {
		m.row = row++;
		m.names = true;
		tui_put(grid, m.row, area.col + 1, area.cols, TUI_WARN, "on no node");
		m.area = (struct tui_area){m.row, area.col, 1, area.cols};
		draw_pods(&m, NULL, 13);
	}
	m.area = area;
	if (m.chosen) {
		draw_chosen(&m, row++);
		draw_arrows(&m, kt_get(app->work.world, "reach"), row++);
	}
	if (alone)
		row = draw_traffic(app, &m, row, last - 1);
	draw_legend(&m, last);
}
