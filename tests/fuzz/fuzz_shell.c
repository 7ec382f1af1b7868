/* SPDX-License-Identifier: MIT */
/* A shell program: parsed or refused with words, never more; and the words that braces make of it. */
#include "tests/fuzz/fuzz.h"

#include "cluster/kubelet/shell/syntax.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum flavour flavours[] = {FLAVOUR_BUSYBOX, FLAVOUR_DASH, FLAVOUR_BASH};
	char *text = kt_strndup((const char *)data, size);
	size_t len = strlen(text); /* a script ends where its text does */
	struct kt_strs words = {0};
	for (size_t i = 0; i < KT_COUNT(flavours); i++) {
		struct sh_program *program = NULL;
		char message[256];
		unsigned line = 0;
		enum sh_parse state = sh_parse(text, len, flavours[i], &program, message, &line);
		if (state == SH_PARSED ? !program : (program != NULL || !*message))
			kt_bug("a refusal without words, or a program after one");
		if (state == SH_PARSED)
			sh_program_unref(program);
	}
	(void)sh_open_document(text, len);
	braces_expand(text, len, &words);
	kt_strs_clear(&words);
	kt_free(text);
	return 0;
}
