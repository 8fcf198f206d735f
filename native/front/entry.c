/*
 * Where the kernel's loader, having made the program ready to run, goes in: with the program's arguments on the stack, and in a
 * register what is to be called at its end. The program's own entry, which the build wrote into `program_entry`, finds both untouched.
 */
#include "front.h"

void front_main(uintptr_t *stack);

/* Begins the front's bytes; `head` keeps it there (front.ld). Filled in by scripts/build/front.ts. */
__attribute__((section(".head"), used)) const uintptr_t program_entry = 0;

#if defined(__x86_64__)
__asm__(".section .text.entry,\"ax\"\n"
	".globl front_entry\n"
	"front_entry:\n"
	"	mov %rsp, %rdi\n"
	"	push %rdx\n"
	"	sub $8, %rsp\n"
	"	call front_main\n"
	"	add $8, %rsp\n"
	"	pop %rdx\n"
	"	jmp *program_entry(%rip)\n");
#else
__asm__(".section .text.entry,\"ax\"\n"
	".globl front_entry\n"
	"front_entry:\n"
	"	mov x1, x0\n"
	"	mov x0, sp\n"
	"	stp x1, x30, [sp, #-16]!\n"
	"	bl front_main\n"
	"	ldp x0, x30, [sp], #16\n"
	"	adrp x16, program_entry\n"
	"	ldr x16, [x16, #:lo12:program_entry]\n"
	"	br x16\n");
#endif
