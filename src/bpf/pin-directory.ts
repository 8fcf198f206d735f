/** Where everything is pinned. In a file of its own: this is all that a run without pinned programs loads of this folder. */
export const pinDirectory = "/sys/fs/bpf/rauha";
