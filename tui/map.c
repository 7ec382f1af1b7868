/* SPDX-License-Identifier: MIT */
/* The cluster at a glance: zones, their nodes, a cell a pod. */
#include "tui/work_internal.h"

#include <string.h>

static const struct {
	const char *state, *sign;
	enum tui_style style;
} states[] = {{"ready", "●", TUI_GOOD},  {"starting", "◐", TUI_WARN}, {"ending", "◌", TUI_DIM},
              {"failing", "✗", TUI_BAD}, {"done", "✓", TUI_DIM},      {"pending", "○", TUI_WARN}};

struct map {
	struct tui_grid *grid;
	struct tui_area area;
	const struct kt_json *pods;
	int row;
	bool names; /* room for the pods' names */
};

static bool is_shown(const struct kt_json *pod)
{
	return !kt_streq(kt_get_str(pod, "ns"), "kube-system");
}

static bool is_on(const struct kt_json *pod, const char *node)
{
	const char *on = kt_get_str(pod, "node");
	return is_shown(pod) && (node ? kt_streq(on, node) : !on || !*on);
}

static int put_pod(struct map *m, int col, const struct kt_json *pod)
{
	size_t s = 0;
	while (s + 1 < KT_COUNT(states) && !kt_streq(states[s].state, kt_get_str(pod, "state")))
		s++;
	int end = m->area.col + m->area.cols - 1, at = col;
	at += tui_put(m->grid, m->row, at, end - at, states[s].style, states[s].sign);
	if (m->names) {
		const char *name =
		        kt_get_str(pod, "app") ? kt_get_str(pod, "app") : kt_str_or(kt_get(pod, "name"), "?");
		at += 1 + tui_put(m->grid, m->row, at + 1, KT_MIN(end - at - 1, 20), TUI_PLAIN, name) + 1;
	}
	return at + 0;
}

static int pod_width(const struct map *m, const struct kt_json *pod)
{
	const char *name =
	        kt_get_str(pod, "app") ? kt_get_str(pod, "app") : kt_str_or(kt_get(pod, "name"), "?");
	return m->names ? 3 + (int)KT_MIN(strlen(name), 20) : 1;
}

/* Pods of a node (NULL: of none), in as many rows as it takes. */
static void draw_pods(struct map *m, const char *node, int indent)
{
	const struct kt_json *pod;
	int col = m->area.col + indent, bottom = m->area.row + m->area.rows;
	KT_JSON_EACH (pod, m->pods) {
		if (!is_on(pod, node))
			continue;
		if (col + pod_width(m, pod) > m->area.col + m->area.cols - 1) {
			m->row++;
			col = m->area.col + indent;
		}
		if (m->row >= bottom)
			return;
		col = put_pod(m, col, pod);
	}
	m->row++;
}

static void draw_node(struct map *m, const struct kt_json *node)
{
	bool ready = kt_get_bool(node, "ready", false), cordoned = kt_get_bool(node, "cordoned", false);
	const char *name = kt_str_or(kt_get(node, "name"), "?");
	if (m->row >= m->area.row + m->area.rows)
		return;
	int at = m->area.col + 2;
	at += tui_putf(m->grid, m->row, at, 18, ready ? TUI_PLAIN : TUI_BAD, "%s", name) + 1;
	if (!ready)
		at += tui_put(m->grid, m->row, at, 10, TUI_BAD, "✗ down") + 1;
	if (cordoned)
		at += tui_put(m->grid, m->row, at, 10, TUI_WARN, "cordoned") + 1;
	draw_pods(m, name, KT_MAX(at - m->area.col, 16));
}

static bool is_first_of_zone(const struct kt_json *nodes, size_t i)
{
	const char *zone = kt_get_str(kt_at(nodes, i), "zone");
	for (size_t j = 0; j < i; j++)
		if (!kt_get_bool(kt_at(nodes, j), "control", false) &&
		    kt_streq(kt_get_str(kt_at(nodes, j), "zone"), zone))
			return false;
	return !kt_get_bool(kt_at(nodes, i), "control", false);
}

static void draw_zone(struct map *m, const struct kt_json *nodes, const char *zone)
{
	const struct kt_json *node;
	size_t count = 0, down = 0;
	KT_JSON_EACH (node, nodes) {
		bool here = !kt_get_bool(node, "control", false) && kt_streq(kt_get_str(node, "zone"), zone);
		count += here;
		down += here && !kt_get_bool(node, "ready", false);
	}
	if (m->row >= m->area.row + m->area.rows)
		return;
	tui_putf(m->grid, m->row++, m->area.col + 1, m->area.cols - 2, down == count ? TUI_BAD : TUI_STRONG,
	         "%s%s%s", zone ? "zone " : "no zone", zone ? zone : "", down == count ? "  ✗ dark" : "");
	KT_JSON_EACH (node, nodes)
		if (!kt_get_bool(node, "control", false) && kt_streq(kt_get_str(node, "zone"), zone))
			draw_node(m, node);
}

static bool has_pending(const struct kt_json *pods)
{
	const struct kt_json *pod;
	KT_JSON_EACH (pod, pods)
		if (is_on(pod, NULL))
			return true;
	return false;
}

static void draw_legend(struct map *m)
{
	int row = m->area.row + m->area.rows - 1, at = m->area.col + 1, end = m->area.col + m->area.cols;
	if (m->row > row)
		return;
	for (size_t s = 0; s < KT_COUNT(states) && at + 3 + (int)strlen(states[s].state) < end; s++) {
		at += tui_put(m->grid, row, at, end - at, states[s].style, states[s].sign) + 1;
		at += tui_put(m->grid, row, at, end - at, TUI_DIM, states[s].state) + 1;
	}
}

void tui_draw_map(struct tui_app *app, struct tui_grid *grid, struct tui_area area)
{
	const struct kt_json *nodes = kt_get(app->work.world, "nodes");
	struct map m = {.grid = grid,
	                .area = area,
	                .pods = kt_get(app->work.world, "pods"),
	                .row = area.row,
	                .names = app->work.panel == TUI_PANEL_MAP || area.cols >= 50};
	if (!app->work.world) {
		tui_put(grid, area.row, area.col + 1, area.cols - 2, TUI_DIM,
		        "The cluster was not looked at yet.");
		return;
	}
	for (size_t i = 0; i < kt_count(nodes); i++)
		if (is_first_of_zone(nodes, i))
			draw_zone(&m, nodes, kt_get_str(kt_at(nodes, i), "zone"));
	if (has_pending(m.pods) && m.row < area.row + area.rows) {
		tui_put(grid, m.row, area.col + 1, area.cols, TUI_WARN, "on no node");
		draw_pods(&m, NULL, 16);
	}
	if (m.row > area.row + area.rows)
		tui_put(grid, area.row + area.rows - 1, area.col + area.cols - 1, 1, TUI_KEY, "▼");
	draw_legend(&m);
}
