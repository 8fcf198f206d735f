/*
 * What the static libelf of elfutils 0.192 (Debian 13) lacks: it was packed without the two functions by which a new Elf gets an empty
 * tree of raw chunks and gives it back (https://sourceware.org/bugzilla/show_bug.cgi?id=32293).
 *
 * Nothing that this program links can put a chunk into that tree: elf_getdata_rawchunk does, by eu_search_tree_find, which is not
 * there either, so that a program that called it would not link. The tree is part of memory from calloc, and all zeros are an empty
 * tree. So there is nothing to do, at the beginning and at the end. A libelf that has the functions prevails: these are weak.
 */

void eu_search_tree_init(void *tree, ...);
void eu_search_tree_fini(void *tree, void (*free_node)(void *));

__attribute__((weak)) void eu_search_tree_init(void *tree, ...)
{
	(void)tree;
}

__attribute__((weak)) void eu_search_tree_fini(void *tree, void (*free_node)(void *))
{
	(void)tree;
	(void)free_node;
}
