/* SPDX-License-Identifier: MIT */
/* A shell program: parsed or refused with words, never more. */
#include "tests/fuzz/fuzz.h"

#include "cluster/kubelet/shell/syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sh_program *program = NULL;
	char message[256];
	unsigned line = 0;
	char *text = kt_strndup((const char *)data, size);
	enum sh_parse state = sh_parse(text, size, &program, message, &line);
	if (state == SH_PARSED ? !program : (program != NULL || !*message))
		kt_bug("a refusal without words, or a program after one");
	if (state == SH_PARSED)
		sh_program_unref(program);
	kt_free(text);
	return 0;
}
