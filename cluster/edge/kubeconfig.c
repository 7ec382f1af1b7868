/* SPDX-License-Identifier: MIT */
#include "cluster/edge/edge_internal.h"
#include <string.h>

static void add_data(struct kt_buf *out, const char *key, const char *pem)
{
	kt_buf_addf(out, "    %s: ", key);
	kt_base64(pem, strlen(pem), out);
	kt_buf_addc(out, '\n');
}

char *edge_kubeconfig(const char *name, const char *address, const struct edge_identity *identity)
{
	struct kt_buf out = {0};
	kt_buf_adds(&out, "apiVersion: v1\nkind: Config\n");
	kt_buf_addf(&out, "clusters:\n- name: ktutor-%s\n  cluster:\n    server: %s\n", name, address);
	add_data(&out, "certificate-authority-data", identity->ca_pem);
	kt_buf_addf(&out, "users:\n- name: kubernetes-admin\n  user:\n");
	add_data(&out, "client-certificate-data", identity->admin_pem);
	add_data(&out, "client-key-data", identity->admin_key_pem);
	kt_buf_addf(&out,
	            "contexts:\n- name: ktutor-%s\n  context:\n    cluster: ktutor-%s\n    user: "
	            "kubernetes-admin\ncurrent-context: ktutor-%s\n",
	            name, name, name);
	return kt_buf_take(&out);
}
