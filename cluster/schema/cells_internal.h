/* SPDX-License-Identifier: MIT */
/* Between the files that print table cells: cells.c (the table of printers and plain cells), cells_pod.c,
 * cells_service.c, cells_more.c. Source of the rules: kubernetes pkg/printers/internalversion/printers.go. */
#ifndef CELLS_INTERNAL_H
#define CELLS_INTERNAL_H

#include "cluster/schema/schema_internal.h"

struct cell_source {
	const struct kt_json *object, *metadata, *spec, *status;
	kt_ns now;
};
/* One cell; `path` is what the row says behind the function. New, never NULL. */
typedef struct kt_json *cell_fn(const struct cell_source *from, const char *path);

/* Helpers. */
struct kt_json *cell_take(struct kt_buf *buf);                     /* its text as a cell; clears it */
struct kt_json *cell_since(const struct kt_json *time, kt_ns now); /* "5m", "<unknown>" */
const struct kt_json *cell_condition(const struct kt_json *list, const char *type);
bool cell_condition_true(const struct kt_json *list, const char *type);
void cell_add_labels(const struct kt_json *map, struct kt_buf *out);        /* "a=1,b=2" */
void cell_add_selector(const struct kt_json *selector, struct kt_buf *out); /* of a LabelSelector */

/* Cells of cells_more.c and cells_service.c. */
cell_fn cell_service_cluster_ip, cell_service_external_ip, cell_service_ports;
cell_fn cell_endpoints, cell_slice_ports, cell_slice_endpoints;
cell_fn cell_ingress_hosts, cell_ingress_address, cell_ingress_ports, cell_ingress_class_parameters;
cell_fn cell_node_status, cell_node_roles, cell_node_address;
cell_fn cell_job_status, cell_job_completions, cell_job_duration;
cell_fn cell_hpa_reference, cell_hpa_metrics;
cell_fn cell_event_seen, cell_event_first, cell_event_target, cell_event_source, cell_event_message,
        cell_event_count;
cell_fn cell_volume_capacity, cell_claim_capacity, cell_access_modes, cell_claim_modes, cell_storage_class,
        cell_phase, cell_volume_claim;
cell_fn cell_class_name, cell_quota, cell_subjects, cell_role, cell_csr_condition, cell_csr_duration;
cell_fn cell_revision_controller, cell_component, cell_address_parent, cell_joined, cell_claim_state;
cell_fn cell_audiences, cell_service_of_api, cell_available, cell_webhook_param_kind, cell_webhook_param;

/* All cells of a pod. */
void cells_of_pod(const struct cell_source *from, struct kt_json **cells);

#endif
