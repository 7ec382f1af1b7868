/* SPDX-License-Identifier: MIT */
/* Answers come from learners, and some tasks look at what a learner has done: a proof makes that up, from
 * record.yaml beside the lab or a near miss, as the real one is made: by events. */
#include "db/db.h"
#include "labs/prove_internal.h"

/* Every row is an event as progress keeps it: {kind: task, lab: x, task: y, passed: 1}. */
static enum kt_code play_events(const struct kt_yaml *yaml, struct db *db, struct kt_err *err)
{
	const struct kt_json *events = kt_yaml_doc(yaml, 0), *event;
	kt_ns at = 0;
	enum kt_code rc = KT_OK;
	if (!kt_is_array(events))
		return kt_yaml_fail(yaml, events, err,
		                    "expected a list of events, as in `- {kind: lab-pass, lab: x}`");
	KT_JSON_EACH (event, events) {
		const char *kind = kt_get_str(event, "kind");
		if (!rc && (!kind || !db_event_known(kind)))
			rc = kt_yaml_fail(
			        yaml, event, err,
			        "expected an event of progress, as in `- {kind: lab-pass, lab: x}`");
		if (!rc)
			rc = db_record_event(db, at += KT_MIN_NS, kind, event, err);
	}
	return rc;
}

static enum kt_code play(const char *path, const char *home, struct kt_json **out, struct kt_err *err)
{
	struct kt_yaml *yaml = NULL;
	struct db *db = NULL;
	enum kt_code rc = kt_yaml_read(path, &yaml, err);
	if (!rc)
		rc = kt_make_dirs(home, 0700, err);
	if (!rc)
		rc = db_progress_open(home, &db, err);
	if (!rc)
		rc = play_events(yaml, db, err);
	if (!rc)
		rc = db_progress_read(db, out, err);
	db_close(db);
	if (kt_remove_tree(home, rc ? NULL : err) && !rc)
		rc = KT_EIO;
	kt_yaml_free(yaml);
	return rc;
}

enum kt_code lab_proof_record(struct proof *p, const char *dir, struct kt_err *err)
{
	char *own = dir ? kt_join(dir, "record.yaml") : NULL, *given = kt_strf("%s/record.yaml", p->lab->dir),
	     *home = kt_join(p->options->options->home, "record");
	const char *path = !dir ? NULL : kt_is_file(own) ? own : kt_is_file(given) ? given : NULL;
	enum kt_code rc = KT_OK;
	kt_json_freep(&p->record);
	if (path)
		rc = play(path, home, &p->record, err);
	if (!p->record)
		p->record = kt_json_object();
	kt_free(home);
	kt_free(given);
	kt_free(own);
	return rc;
}
