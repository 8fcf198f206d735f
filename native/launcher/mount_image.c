/* A root from an image: read-only layers that zones share, under an upper directory that is this zone's alone. */
#include "launcher.h"
#include <sys/mount.h>

/* Short: its name stands in the options once for each layer. */
#define LAYERS "l"
/* What mount(2) takes. */
#define OPTIONS_MAX 4096

/** mount_layer - `layer`: attaches one layer in the store, where neither the zone nor the host sees it */
int mount_layer(struct zone *z, const struct op *op, struct fault *f)
{
	const char *name = op->u.layer.target;
	struct source source;
	char path[32];

	if (source_next(z, op, &source, f) < 0)
		return -1;
	if (source.kind != SOURCE_MOUNT || !source.is_dir)
		return fault_with(f, ENOTDIR, "openat2", op->u.layer.source);
	if (strlen(name) > 8 || strspn(name, "0123456789") != strlen(name))
		return fault_with(f, EINVAL, "layer", name);
	if (mkdirat(z->store, LAYERS, 0700) < 0 && errno != EEXIST)
		return fault(f, "mkdirat", LAYERS);
	text_put(text_put(path, path + sizeof(path), LAYERS "/"), path + sizeof(path), name);
	if (mkdirat(z->store, path, 0700) < 0)
		return fault(f, "mkdirat", path);
	if (sys_move_mount(source.fd, z->store, path) < 0)
		return fault(f, "move_mount", op->u.layer.source);
	close(source.fd);
	return 0;
}

/**
 * mount_image - `image`: the overlayfs of all layers becomes the zone's root
 *
 * By mount(2): the options of fsconfig(2) are cut at 256 bytes, and its `lowerdir+` is younger than the kernels we run on. From the
 * store, so that 128 layers need no more than 800 bytes. The root directory made before stays below, unseen.
 */
int mount_image(struct zone *z, const struct op_image *image, struct fault *f)
{
	char options[OPTIONS_MAX];
	const char *end = options + sizeof(options);
	char *at = text_put(options, end, "userxattr,volatile,upperdir=upper,workdir=work,lowerdir=");

	for (uint32_t i = image->layers; i > 0; i--) {
		at = text_number(text_put(at, end, LAYERS "/"), end, i - 1);
		at = text_put(at, end, i > 1 ? ":" : "");
	}
	if (image->layers == 0 || end - at < 8)
		return fault_with(f, EINVAL, "image", "too few or too many layers");
	if (mkdirat(z->store, "upper", 0755) < 0 || mkdirat(z->store, "work", 0700) < 0)
		return fault(f, "mkdirat", "tmpfs");
	if (fchdir(z->store) < 0)
		return fault(f, "fchdir", "tmpfs");
	if (mount("overlay", "/proc/fs", "overlay", MS_NOSUID | MS_NODEV, options) < 0)
		return fault(f, "mount", "overlay");
	close(z->root);
	z->root = open("/proc/fs", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (z->root < 0 || place_of(z->root, "", &z->root_place) < 0)
		return fault(f, "open", "/proc/fs");
	z->has_image = true;
	if (z->parent >= 0)
		close(z->parent);
	z->parent = -1;
	return 0;
}
