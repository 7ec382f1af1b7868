/* SPDX-License-Identifier: MIT */
#include "labs/real/real.h"

#include <poll.h>
#include <string.h>

#define ACCOUNT_TRIES 40 /* of half a second */

/* HTTP codes as ours: what a caller tells apart. */
static const struct {
	int status;
	enum kt_code code;
} codes[] = {{404, KT_ENOTFOUND},    {409, KT_ECONFLICT},    {401, KT_EDENIED},
             {403, KT_EDENIED},      {429, KT_ELIMIT},       {500, KT_EUNREACHABLE},
             {502, KT_EUNREACHABLE}, {503, KT_EUNREACHABLE}, {504, KT_EUNREACHABLE}};

enum kt_code real_call(struct check_client *client, const char *method, const char *path,
                       const char *content_type, const struct kt_json *body, struct kt_json **out,
                       struct kt_err *err)
{
	struct check_answer answer = {0};
	char *text = body ? kt_json_text(body) : NULL;
	if (text && !content_type)
		content_type = "application/json";
	enum kt_code rc;
	for (int attempt = 0;; attempt++) {
		rc = check_request(client, method, path, content_type, text, text ? strlen(text) : 0, &answer,
		                   err);
		if (rc || attempt >= ACCOUNT_TRIES || !check_account_is_coming(&answer))
			break;
		(void)poll(NULL, 0, 500);
	}
	if (!rc && (answer.status < 200 || answer.status > 299)) {
		rc = KT_EINVAL;
		for (size_t i = 0; i < KT_COUNT(codes); i++)
			rc = codes[i].status == answer.status ? codes[i].code : rc;
		kt_fail(err, rc, "%s", kt_str_or(kt_get(answer.json, "message"), "the cluster refused"));
	}
	if (!rc && out)
		*out = kt_json_ref(answer.json);
	check_answer_clear(&answer);
	kt_free(text);
	return rc;
}

enum kt_code real_apply(struct check_client *client, const char *path, const struct kt_json *object,
                        struct kt_err *err)
{
	char *target = kt_strf("%s?fieldManager=ktutor&force=true", path);
	enum kt_code rc =
	        real_call(client, "PATCH", target, "application/apply-patch+yaml", object, NULL, err);
	kt_free(target);
	return rc;
}
