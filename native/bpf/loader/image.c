/* The BPF object, carried in this program: RAUHA_BPF_OBJECT is its path, given by the build. */
#include "loader.h"

__asm__(".section .rodata\n"
	".balign 16\n"
	".global image_start, image_end\n"
	"image_start:\n"
	".incbin \"" RAUHA_BPF_OBJECT "\"\n"
	"image_end:\n"
	".byte 0\n"
	".previous\n");
